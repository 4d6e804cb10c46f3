/* llm: a language model behind an OpenAI-compatible endpoint, in the ReAct manner: it sees what
 * came of its last action and says the next one, as a call of a tool or in a fenced block. */
#include "base/auto.h"
#include "base/mem.h"
#include "cli/agents/agent.h"
#include "cli/mcp.h"

#include <string.h>

enum { PATIENCE_MS = 2 * 60 * 60 * 1000 };

static const char next[] = "Please take the next action";
static const char left_out[] = "(left out to save room)";

typedef struct llm {
    seat_t *seat;
    json_t *messages;
    json_t *tools;
    size_t noted;   /* how many messages the transcript has */
    int64_t tokens; /* in and out */
    double cost;
} llm_t;

/* ---- what the model is told ---------------------------------------------------------------- */

static void say_as(llm_t *self, const char *role, const char *call_id, const char *text)
{
    json_array_append_new(self->messages,
        json_pack("{s:s, s:s*, s:s}", "role", role, "tool_call_id", call_id, "content", text));
}

static void begin(llm_t *self)
{
    const session_info_t *briefing = self->seat->briefing;
    const char *name;
    json_t *doc;
    char *text = xasprintf("%s\n%s\nThe actions:\n", briefing->description, briefing->instructions);
    json_object_foreach(briefing->actions, name, doc)
    {
        char *longer = xasprintf("%s\n%s\n", text, json_string_value(doc));
        free(text);
        text = longer;
        json_array_append_new(self->tools,
            json_pack("{s:s, s:{s:s, s:O, s:O*}}", "type", "function", "function", "name", name,
                "description", doc, "parameters", json_object_get(briefing->schemas, name)));
    }
    say_as(self, "system", NULL, text);
    say_as(self, "user", NULL, next);
    free(text);
}

/* What an action gave, for the call that asked for it or for what was said. */
static void tell(llm_t *self, const json_t *message, const char *observation)
{
    size_t i;
    json_t *call;
    const json_t *calls = json_object_get(message, "tool_calls");
    json_array_foreach(calls, i, call)
        say_as(self, "tool", json_string_value(json_object_get(call, "id")),
            i == 0 ? observation : "Not done: only one action a step is executed.");
    if (json_array_size(calls))
        return;
    AUTO_FREE char *text = xasprintf("%s\n%s", observation, next);
    say_as(self, "user", NULL, text);
}

/* ---- limits -------------------------------------------------------------------------------- */

static size_t content_size(const json_t *message)
{
    return json_string_length(json_object_get(message, "content"));
}

/* Leaves out observations, the oldest first, until the rest has room; the task stays. */
static void make_room(llm_t *self)
{
    size_t i, all = 0;
    json_t *message;
    json_array_foreach(self->messages, i, message) all += content_size(message);
    for (i = 2;
         i + 1 < json_array_size(self->messages) && all > (size_t)self->seat->model->context_bytes;
         i++) {
        message = json_array_get(self->messages, i);
        const char *role = json_string_value(json_object_get(message, "role"));
        size_t size = content_size(message);
        if (strcmp(role, "assistant") == 0 || size < sizeof(left_out))
            continue;
        all -= size - (sizeof(left_out) - 1);
        json_object_set_new(message, "content", json_string(left_out));
    }
}

/* An endpoint that does not count is counted for: four bytes of UTF-8 are a token or so. */
static void count(llm_t *self, const chat_reply_t *reply)
{
    const model_t *model = self->seat->model;
    size_t i;
    json_t *message;
    size_t bytes = 0;
    json_array_foreach(self->messages, i, message) bytes += content_size(message);
    int64_t in = reply->is_counted ? reply->tokens_in : (int64_t)bytes / 4;
    int64_t out = reply->is_counted ? reply->tokens_out : (int64_t)content_size(reply->message) / 4;
    self->tokens += in + out;
    self->cost += ((double)in * model->price_in + (double)out * model->price_out) / 1e6;
}

static bool is_spent(const llm_t *self)
{
    const model_t *model = self->seat->model;
    bool is_over = model->tokens_max && self->tokens >= model->tokens_max;
    bool is_dear = model->cost_max > 0 && self->cost >= model->cost_max;
    if (is_over || is_dear)
        progress_say(self->seat->progress,
            "the budget is spent after %lld tokens, at a cost of %.4f; the agent gives up",
            (long long)self->tokens, self->cost);
    return is_over || is_dear;
}

/* What the model was told since the last line, and what it said. */
static void note(llm_t *self, const chat_reply_t *reply)
{
    FILE *transcript = self->seat->model->transcript;
    if (!transcript)
        return;
    json_t *told = json_array();
    for (; self->noted < json_array_size(self->messages); self->noted++)
        json_array_append(told, json_array_get(self->messages, self->noted));
    self->noted++; /* the reply, which comes next */
    json_auto_t *line = json_pack("{s:s, s:I, s:o, s:O, s:I, s:f}", "session",
        self->seat->briefing->session, "step", (json_int_t)self->seat->step + 1, "told", told,
        "reply", reply->message, "tokens", (json_int_t)self->tokens, "cost", self->cost);
    json_dumpf(line, transcript, JSON_COMPACT);
    fputc('\n', transcript);
    fflush(transcript);
}

/* ---- acting -------------------------------------------------------------------------------- */

/* Arguments that are no object are passed on as they are: what is wrong, the environment tells. */
static const char *do_call(seat_t *seat, const json_t *call)
{
    const json_t *function = json_object_get(call, "function");
    const char *name = json_string_value(json_object_get(function, "name"));
    const char *text = json_string_value(json_object_get(function, "arguments"));
    json_auto_t *arguments = json_loads(text && *text ? text : "{}", 0, NULL);
    AUTO_FREE char *action = json_is_object(arguments)
                                 ? mcp_action(name ? name : "", arguments)
                                 : xasprintf("%s(%s)", name ? name : "", text ? text : "");
    return seat_act(seat, "%s", action);
}

static const char *act(seat_t *seat, const json_t *message)
{
    const json_t *call = json_array_get(json_object_get(message, "tool_calls"), 0);
    const char *text = json_string_value(json_object_get(message, "content"));
    return call ? do_call(seat, call) : seat_say(seat, text ? text : "");
}

/* One request and the action that comes of it. */
static bool take_step(llm_t *self)
{
    seat_t *seat = self->seat;
    chat_reply_t reply = {0};
    make_room(self);
    const json_t *tools = seat->model->has_no_tools ? NULL : self->tools;
    if (chat_ask(seat->model->chat, self->messages, tools, &reply, &seat->err) < 0)
        return false;
    count(self, &reply);
    note(self, &reply);
    const char *observation = act(seat, reply.message);
    json_array_append(self->messages, reply.message);
    if (observation)
        tell(self, reply.message, observation);
    chat_reply_done(&reply);
    return observation && !seat->is_over && !is_spent(self);
}

static void play(seat_t *seat)
{
    llm_t self = {.seat = seat, .messages = json_array(), .tools = json_array()};
    begin(&self);
    while (take_step(&self))
        continue;
    json_decref(self.messages);
    json_decref(self.tools);
}

const agent_t agent_llm = {.name = "llm",
    .summary = "a language model behind an OpenAI-compatible endpoint (--model, --base-url)",
    .needs_model = true,
    .patience_ms = PATIENCE_MS,
    .play = play};
