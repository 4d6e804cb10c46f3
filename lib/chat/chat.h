/* chat - a client of language models behind an OpenAI-compatible endpoint: chat completions,
 * streamed, with tool calls; retried with back-off. A call runs the loop until the reply is there.
 *
 * Source: platform.openai.com/docs/api-reference/chat (create, streaming). */
#ifndef CHAT_CHAT_H
#define CHAT_CHAT_H

#include "base/err.h"
#include "base/ev.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct chat chat_t;

typedef struct chat_config {
    const char *base_url; /* such as https://api.openai.com/v1 */
    const char *model;
    const char *key;    /* sent as bearer token; NULL: none */
    int64_t timeout_ms; /* of one request; 0: five minutes */
    int64_t backoff_ms; /* before the second try, doubled before each further one; 0: one second */
    int tries;          /* 0: five */
} chat_config_t;

typedef struct chat_reply {
    json_t *message; /* as the next request must repeat it: role, content, tool_calls */
    int64_t tokens_in;
    int64_t tokens_out;
    bool is_counted; /* by the endpoint; else both are 0 */
    bool is_cut;     /* the model was stopped by its limit */
} chat_reply_t;

/* Strings are copied. */
chat_t *chat_new(ev_t *ev, const chat_config_t *config, err_t *err);
void chat_destroy(chat_t **self_p);

/* Asks for the next message. tools: as the API takes them, or NULL. On success *reply is for
 * chat_reply_done(). ERR_FORBIDDEN: the key; ERR_INVALID: the request, told by the endpoint;
 * ERR_STATE: the loop was stopped; other codes once all tries have failed. */
int chat_ask(
    chat_t *self, const json_t *messages, const json_t *tools, chat_reply_t *reply, err_t *err);

void chat_reply_done(chat_reply_t *self);

/* Reads the body of an answer: a completion, or its stream of server-sent events to the end.
 * ERR_IO if it is neither, or not whole. */
int chat_parse(const char *body, size_t size, chat_reply_t *reply, err_t *err);

#endif
