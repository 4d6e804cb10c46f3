/* human: a person at the terminal; each line is an action, as in the original's prompt. */
#include "base/auto.h"
#include "base/mem.h"
#include "cli/agents/agent.h"
#include "cli/console.h"

#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 2 * 60 * 60 * 1000 };

static void print_briefing(const seat_t *seat)
{
    const char *name;
    json_t *doc;
    printf("\n%s\n%s\n", seat->briefing->description, seat->briefing->instructions);
    printf(
        "The backticks are added here: type a call, such as %s. 'help' lists the actions, 'exit' "
        "leaves.\n\n",
        "get_logs(\"NAMESPACE\", \"SERVICE\")");
    json_object_foreach(seat->briefing->actions, name, doc)
        printf("  %.*s\n", (int)strcspn(json_string_value(doc), "\n"), json_string_value(doc));
    putchar('\n');
    fflush(stdout);
}

static void print_help(const seat_t *seat)
{
    const char *name;
    json_t *doc;
    json_object_foreach(seat->briefing->actions, name, doc)
        printf("%s\n\n", json_string_value(doc));
}

/* "NAME(" of each action, and what one may say besides. */
static const char **first_words(const seat_t *seat, size_t *count_p)
{
    const char *name;
    json_t *doc;
    size_t count = 0;
    const char **words = xcalloc(json_object_size(seat->briefing->actions) + 2, sizeof(*words));
    words[count++] = "exit";
    words[count++] = "help";
    json_object_foreach(seat->briefing->actions, name, doc) words[count++] = xasprintf("%s(", name);
    *count_p = count;
    return words;
}

static void free_words(const char **words, size_t count)
{
    for (size_t i = 2; i < count; i++)
        free((char *)words[i]);
    free(words);
}

/* Ctrl-C once stops nothing, since the step is taken; twice leaves the problem. */
static const char *act(seat_t *seat, console_t *console, const char *line)
{
    const char *observation = seat_act(seat, "%s", line);
    if (observation || !console_take_interrupt(console))
        return observation;
    printf(
        "\nThe action goes on, and counts; it is waited for. Ctrl-C again leaves the problem.\n");
    fflush(stdout);
    return seat_await(seat, line);
}

/* Returns false when the person has left. */
static bool take(seat_t *seat, console_t *console, const char *line)
{
    if (strcmp(line, "exit") == 0)
        return false;
    if (strcmp(line, "help") == 0) {
        print_help(seat);
    } else if (*line) {
        const char *observation = act(seat, console, line);
        if (observation)
            printf("%s\n", observation);
    }
    fflush(stdout);
    return true;
}

static void play(seat_t *seat)
{
    size_t count;
    const char **words = first_words(seat, &count);
    progress_end(seat->progress);
    seat->is_quiet = true;
    print_briefing(seat);
    AUTO(console_destroy)
    console_t *console = console_new(
        seat->lab, "aiopslab> ", (console_words_t){words, count}, (console_words_t){NULL, 0});
    while (!seat->is_over && !seat->err.code) {
        AUTO_FREE char *line = console_read(console);
        seat->has_left = !line || !take(seat, console, line);
        if (seat->has_left)
            break;
    }
    console_destroy(&console);
    free_words(words, count);
}

const agent_t agent_human = {.name = "human",
    .summary = "you: each line is an action",
    .patience_ms = PATIENCE_MS,
    .play = play};
