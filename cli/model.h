/* model - the options of the agent llm, and the language model that they name. */
#ifndef CLI_MODEL_H
#define CLI_MODEL_H

#include "cli/agents/agent.h"

#include <argp.h>

typedef struct model_options {
    const char *name;     /* all borrowed */
    const char *base_url; /* NULL: $OPENAI_BASE_URL, or OpenAI's own */
    const char *transcript;
    double cost_max;
    double price_in;
    double price_out;
    int64_t tokens_max;
    bool has_no_tools;
} model_options_t;

/* A child parser whose input is a model_options_t. */
extern const struct argp model_argp;

/* The endpoint: the one that is given, or else that of the environment, or else OpenAI's own. */
const char *model_base_url(const char *given);

/* ERR_INVALID if they do not say enough. */
int model_check(const model_options_t *options, err_t *err);

/* *self is for model_close() in any case. */
int model_open(model_t *self, const model_options_t *options, ev_t *ev, err_t *err);
void model_close(model_t *self);

#endif
