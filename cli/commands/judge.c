/* judge: what a language model thinks of a session's trace. It changes no verdict. */
#include "cli/command.h"
#include "cli/folder.h"
#include "cli/model.h"

#include "base/auto.h"
#include "base/ev.h"
#include "base/mem.h"
#include "chat/chat.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef struct options {
    const char *model;
    const char *base_url;
    char **paths; /* borrowed from argv */
    size_t path_count;
} options_t;

static const struct argp_option option_table[] = {
    {"model", 'm', "NAME", 0, "Who judges, as the endpoint calls it; not the agent's own model", 0},
    {"base-url", 'u', "URL", 0,
        "The endpoint, up to before /chat/completions (OPENAI_BASE_URL of the environment, or "
        "OpenAI's own)",
        0},
    {0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    options_t *options = state->input;
    switch (key) {
    case 'm':
        options->model = value;
        return 0;
    case 'u':
        options->base_url = value;
        return 0;
    case ARGP_KEY_ARGS:
        options->paths = state->argv + state->next;
        options->path_count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        if (!options->model)
            argp_error(state, "who judges? --model NAME");
        if (!options->path_count)
            argp_error(state, "of which sessions? Give the files of their results");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- asking -------------------------------------------------------------------------------- */

static const char system_prompt[] =
    "You are an impartial judge of how an AI agent worked on an operations task. You see all that "
    "it "
    "said and did, and all that it saw. Judge its reasoning: whether it looked where evidence was "
    "to "
    "be found, drew the right conclusions from what it saw, and wasted no steps. Explain shortly, "
    "then rate it from 1 to 10 strictly in this form: \"Rating: [[5]]\".";

/* The trace as the original shows it to its judge. */
static char *render(const json_t *trace)
{
    char *text = xstrdup("");
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)trace, i, item)
    {
        const char *role = json_string_value(json_object_get(item, "role"));
        const char *content = json_string_value(json_object_get(item, "content"));
        char *longer =
            xasprintf("%s###%s:\n%s\n\n", text, role ? role : "", content ? content : "");
        free(text);
        text = longer;
    }
    return text;
}

/* The number in the last pair of brackets; -1 if there is none, as in the original. */
static double rating_in(const char *text)
{
    double rating = -1;
    for (const char *at = strstr(text, "[["); at; at = strstr(at + 2, "[[")) {
        char *end = NULL;
        double value = strtod(at + 2, &end);
        if (end != at + 2 && strncmp(end, "]]", 2) == 0)
            rating = value;
    }
    return rating;
}

static void note(json_t *result, const char *model, json_t *messages, const char *answer)
{
    double rating = rating_in(answer);
    json_t *results = json_object_get(result, "results");
    json_object_set_new(results, "reasoning_judgement", json_string(answer));
    json_object_set_new(results, "reasoning_score", json_real(rating));
    json_object_set_new(result, "judge",
        json_pack("{s:s, s:O, s:s, s:f}", "model", model, "prompt", messages, "answer", answer,
            "score", rating));
}

static int judge(chat_t *chat, const char *model, const char *path, err_t *err)
{
    json_error_t why;
    json_auto_t *result = json_load_file(path, 0, &why);
    const json_t *trace = json_object_get(result, "trace");
    if (!json_is_array(trace) || !json_is_object(json_object_get(result, "results")))
        return err_set(err, ERR_INVALID, "'%s' is no result of a session%s%s", path,
            result ? "" : ": ", result ? "" : why.text);
    AUTO_FREE char *text = render(trace);
    json_auto_t *messages = json_pack("[{s:s, s:s}, {s:s, s:s}]", "role", "system", "content",
        system_prompt, "role", "user", "content", text);
    chat_reply_t reply;
    int rc = chat_ask(chat, messages, NULL, &reply, err);
    if (rc < 0)
        return rc;
    const char *answer = json_string_value(json_object_get(reply.message, "content"));
    note(result, model, messages, answer ? answer : "");
    printf("%s: %.1f\n", path, rating_in(answer ? answer : ""));
    chat_reply_done(&reply);
    AUTO_FREE char *written = json_dumps(result, JSON_INDENT(4));
    return folder_write(path, written, err);
}

static int run(int argc, char **argv)
{
    static const struct argp parser = {option_table, parse_option, "FILE...",
        "Lets a language model rate how agents reasoned, by the results of their sessions, and "
        "adds "
        "prompt, answer and rating to the files. Verdicts stay what they are. The environment's "
        "OPENAI_API_KEY is sent as key.",
        NULL, NULL, NULL};
    options_t options = {0};
    err_t err = {0};
    int status;
    if (!command_parse(&parser, argc, argv, &options, &status))
        return status;
    chat_config_t config = {.base_url = model_base_url(options.base_url),
        .model = options.model,
        .key = getenv("OPENAI_API_KEY")};
    AUTO(ev_destroy) ev_t *ev = ev_new();
    AUTO(chat_destroy) chat_t *chat = chat_new(ev, &config, &err);
    int rc = chat ? 0 : -(int)err.code;
    for (size_t i = 0; i < options.path_count && rc == 0; i++)
        rc = judge(chat, options.model, options.paths[i], &err);
    return rc < 0 ? command_fail(&err) : EXIT_DONE;
}

const command_t command_judge = {
    .name = "judge", .summary = "let a language model rate how agents reasoned", .run = run};
