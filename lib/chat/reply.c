/* The two shapes of a reply: one object, or events that each hold a piece of it. */
#include "chat/chat.h"

#include "base/auto.h"
#include "base/mem.h"

enum { CALLS_MAX = 64 };

void chat_reply_done(chat_reply_t *self)
{
    json_decref(self->message);
    *self = (chat_reply_t){0};
}

static void take_usage(chat_reply_t *self, const json_t *usage)
{
    if (!json_is_object(usage))
        return;
    self->tokens_in = json_integer_value(json_object_get(usage, "prompt_tokens"));
    self->tokens_out = json_integer_value(json_object_get(usage, "completion_tokens"));
    self->is_counted = true;
}

static bool take_end(chat_reply_t *self, const json_t *choice)
{
    const char *reason = json_string_value(json_object_get(choice, "finish_reason"));
    self->is_cut = self->is_cut || (reason && strcmp(reason, "length") == 0);
    return reason != NULL;
}

/* What a request may repeat: a refusal is what the model said, and else nothing is kept. */
static json_t *make_message(json_t *content, json_t *refusal, json_t *calls)
{
    bool has_text = json_is_string(content) && *json_string_value(content);
    json_t *text = has_text ? content : json_is_string(refusal) ? refusal : content;
    json_t *message = json_pack(
        "{s:s, s:O}", "role", "assistant", "content", json_is_string(text) ? text : json_null());
    if (json_array_size(calls))
        json_object_set(message, "tool_calls", calls);
    return message;
}

/* ---- one object ---------------------------------------------------------------------------- */

static int parse_object(const json_t *body, chat_reply_t *reply, err_t *err)
{
    const json_t *choice = json_array_get(json_object_get(body, "choices"), 0);
    const json_t *message = json_object_get(choice, "message");
    if (!json_is_object(message))
        return err_set(err, ERR_IO, "the model's answer holds no message");
    (void)take_end(reply, choice);
    take_usage(reply, json_object_get(body, "usage"));
    reply->message = make_message(json_object_get(message, "content"),
        json_object_get(message, "refusal"), json_object_get(message, "tool_calls"));
    return 0;
}

/* ---- events -------------------------------------------------------------------------------- */

typedef struct pieces {
    chat_reply_t *reply;
    json_t *content; /* strings that grow */
    json_t *refusal;
    json_t *calls;
    bool has_ended;
} pieces_t;

static void append(json_t **text_p, const json_t *piece)
{
    if (!json_is_string(piece))
        return;
    const char *before = *text_p ? json_string_value(*text_p) : "";
    json_t *longer = json_sprintf("%s%s", before, json_string_value(piece));
    json_decref(*text_p);
    *text_p = mem_check(longer);
}

static void append_in(json_t *object, const char *key, const json_t *piece)
{
    json_t *text = json_incref(json_object_get(object, key));
    append(&text, piece);
    json_object_set_new(object, key, text ? text : json_string(""));
}

static void take_call(pieces_t *self, const json_t *delta)
{
    size_t index = (size_t)json_integer_value(json_object_get(delta, "index"));
    if (index >= CALLS_MAX)
        return;
    while (json_array_size(self->calls) <= index)
        json_array_append_new(
            self->calls, json_pack("{s:s, s:s, s:{s:s, s:s}}", "id", "", "type", "function",
                             "function", "name", "", "arguments", ""));
    json_t *call = json_array_get(self->calls, index);
    const json_t *function = json_object_get(delta, "function");
    append_in(call, "id", json_object_get(delta, "id"));
    append_in(json_object_get(call, "function"), "name", json_object_get(function, "name"));
    append_in(
        json_object_get(call, "function"), "arguments", json_object_get(function, "arguments"));
}

static void take_event(pieces_t *self, const json_t *event)
{
    size_t i;
    json_t *call;
    const json_t *choice = json_array_get(json_object_get(event, "choices"), 0);
    const json_t *delta = json_object_get(choice, "delta");
    append(&self->content, json_object_get(delta, "content"));
    append(&self->refusal, json_object_get(delta, "refusal"));
    json_array_foreach(json_object_get(delta, "tool_calls"), i, call) take_call(self, call);
    self->has_ended = take_end(self->reply, choice) || self->has_ended;
    take_usage(self->reply, json_object_get(event, "usage"));
}

/* The next line of [*at_p, end), without its end. */
static bool next_line(const char **at_p, const char *end, const char **line_p, size_t *size_p)
{
    if (*at_p >= end)
        return false;
    const char *stop = memchr(*at_p, '\n', (size_t)(end - *at_p));
    *line_p = *at_p;
    *size_p = (size_t)((stop ? stop : end) - *at_p);
    *at_p = stop ? stop + 1 : end;
    if (*size_p && (*line_p)[*size_p - 1] == '\r')
        --*size_p;
    return true;
}

static int take_line(pieces_t *self, const char *line, size_t size, err_t *err)
{
    static const char prefix[] = "data:", done[] = "[DONE]";
    size_t head = sizeof(prefix) - 1;
    if (size < head || memcmp(line, prefix, head) != 0)
        return 0; /* a comment, an empty line, or a field that we have no use for */
    head += size > head && line[head] == ' ' ? 1 : 0;
    if (size - head == sizeof(done) - 1 && memcmp(line + head, done, sizeof(done) - 1) == 0)
        return 0;
    json_error_t error;
    json_auto_t *event = json_loadb(line + head, size - head, 0, &error);
    if (!event)
        return err_set(err, ERR_IO, "the model's answer is no JSON: %s", error.text);
    const json_t *why = json_object_get(json_object_get(event, "error"), "message");
    if (why)
        return err_set(err, ERR_IO, "the model broke off: %.150s", json_string_value(why));
    take_event(self, event);
    return 0;
}

static int parse_events(const char *body, size_t size, chat_reply_t *reply, err_t *err)
{
    pieces_t pieces = {.reply = reply, .calls = json_array()};
    const char *line = NULL;
    size_t line_size = 0;
    int rc = 0;
    for (const char *at = body; rc == 0 && next_line(&at, body + size, &line, &line_size);)
        rc = take_line(&pieces, line, line_size, err);
    if (rc == 0 && !pieces.has_ended)
        rc = err_set(err, ERR_IO, "the model's answer broke off");
    if (rc == 0)
        reply->message = make_message(pieces.content, pieces.refusal, pieces.calls);
    json_decref(pieces.content);
    json_decref(pieces.refusal);
    json_decref(pieces.calls);
    return rc;
}

int chat_parse(const char *body, size_t size, chat_reply_t *reply, err_t *err)
{
    json_error_t error;
    json_auto_t *object = json_loadb(body, size, 0, &error);
    *reply = (chat_reply_t){0};
    return object ? parse_object(object, reply, err) : parse_events(body, size, reply, err);
}
