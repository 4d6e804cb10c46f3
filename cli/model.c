#include "cli/model.h"

#include "base/auto.h"
#include "base/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_MODEL = 0x2001,
    KEY_BASE_URL,
    KEY_TOKENS,
    KEY_COST,
    KEY_PRICES,
    KEY_TRANSCRIPT,
    KEY_NO_TOOLS,
    CONTEXT_BYTES = 400000, /* some 100,000 tokens */
};

static const struct argp_option option_table[] = {
    {0, 0, NULL, 0,
        "For the agent llm, which sends OPENAI_API_KEY of the environment as its key:", 1},
    {"model", KEY_MODEL, "NAME", 0, "The model, as its endpoint calls it", 1},
    {"base-url", KEY_BASE_URL, "URL", 0,
        "The endpoint, up to before /chat/completions (OPENAI_BASE_URL of the environment, or "
        "OpenAI's own)",
        1},
    {"max-tokens", KEY_TOKENS, "NUMBER", 0, "Give up after so many tokens in and out (no limit)",
        1},
    {"max-cost", KEY_COST, "AMOUNT", 0, "Give up at such a cost by --prices (no limit)", 1},
    {"prices", KEY_PRICES, "IN,OUT", 0, "Of a million tokens read, and written", 1},
    {"transcript", KEY_TRANSCRIPT, "FILE", 0,
        "Append what is said to and by the model, as JSON lines", 1},
    {"no-tools", KEY_NO_TOOLS, NULL, 0, "Offer no tools: the model writes its actions as text", 1},
    {0},
};

static double parse_amount(
    const char *text, const char *end, const char *what, struct argp_state *state)
{
    char *stop = NULL;
    double amount = strtod(text, &stop);
    if (stop == text || stop != end || !(amount >= 0) || amount > 1e9)
        argp_error(
            state, "%s must be an amount such as 2.5, not '%.*s'", what, (int)(end - text), text);
    return amount;
}

static void parse_prices(model_options_t *options, const char *text, struct argp_state *state)
{
    const char *comma = strchr(text, ',');
    if (!comma) {
        argp_error(state, "--prices needs two amounts with a comma between, such as 2.5,10");
        return;
    }
    options->price_in = parse_amount(text, comma, "--prices", state);
    options->price_out = parse_amount(comma + 1, comma + strlen(comma), "--prices", state);
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    model_options_t *options = state->input;
    switch (key) {
    case KEY_MODEL:
        options->name = value;
        return 0;
    case KEY_BASE_URL:
        options->base_url = value;
        return 0;
    case KEY_TOKENS:
        if (!number_parse(value, 1, INT64_MAX, &options->tokens_max))
            argp_error(state, "--max-tokens must be a number from 1 on, not '%s'", value);
        return 0;
    case KEY_COST:
        options->cost_max = parse_amount(value, value + strlen(value), "--max-cost", state);
        return 0;
    case KEY_PRICES:
        parse_prices(options, value, state);
        return 0;
    case KEY_TRANSCRIPT:
        options->transcript = value;
        return 0;
    case KEY_NO_TOOLS:
        options->has_no_tools = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp model_argp = {.options = option_table, .parser = parse_option};

const char *model_base_url(const char *given)
{
    const char *url = given ? given : getenv("OPENAI_BASE_URL");
    return url && *url ? url : "https://api.openai.com/v1";
}

int model_check(const model_options_t *options, err_t *err)
{
    if (!options->name)
        return err_set(err, ERR_INVALID, "the agent llm needs --model NAME");
    if (options->cost_max > 0 && options->price_in + options->price_out <= 0)
        return err_set(err, ERR_INVALID, "--max-cost needs --prices IN,OUT");
    return 0;
}

int model_open(model_t *self, const model_options_t *options, ev_t *ev, err_t *err)
{
    *self = (model_t){.tokens_max = options->tokens_max,
        .cost_max = options->cost_max,
        .price_in = options->price_in,
        .price_out = options->price_out,
        .context_bytes = CONTEXT_BYTES,
        .has_no_tools = options->has_no_tools};
    if (options->transcript && !(self->transcript = fopen(options->transcript, "ae")))
        return err_set(err, ERR_IO, "cannot write '%s': %s", options->transcript, strerror(errno));
    chat_config_t config = {.base_url = model_base_url(options->base_url),
        .model = options->name,
        .key = getenv("OPENAI_API_KEY")};
    self->chat = chat_new(ev, &config, err);
    return self->chat ? 0 : -(int)err->code;
}

void model_close(model_t *self)
{
    chat_destroy(&self->chat);
    if (self->transcript)
        fclose(self->transcript);
}
