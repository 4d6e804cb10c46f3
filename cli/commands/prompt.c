/* prompt: what `aiopslab` alone opens, after the original's: 'start ID', then each line is an
 * action, 'exit'. */
#include "cli/command.h"
#include "cli/console.h"
#include "cli/results.h"
#include "cli/trial.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/paths.h"
#include "problems/problem.h"

#include <stdio.h>
#include <string.h>

static const char welcome[] =
    "AIOpsLab\n"
    "  start ID    begins a problem; then each line is an action, such as submit(\"Yes\")\n"
    "  problems    lists them\n"
    "  exit        leaves, as Ctrl-D does\n"
    "Tab completes, the arrow keys find earlier lines.\n";

static const char *const words[] = {"exit", "help", "problems", "start"};

typedef struct prompt {
    lab_t *lab;
    progress_t *progress;
    problem_registry_t *registry;
    const char **ids; /* of problems; borrowed from the registry */
    size_t id_count;
    char *results_dir;
    bool is_terminal;
} prompt_t;

/* Returns false when the person has left for good. */
static bool start(prompt_t *self, const char *id)
{
    err_t err = {0};
    json_auto_t *result = NULL;
    if (!problem_registry_find(self->registry, id, &err)) {
        printf("%s\n", err.text);
        return true;
    }
    bool has_left = false;
    trial_t trial = {.lab = self->lab,
        .progress = self->progress,
        .agent = &agent_human,
        .problem = id,
        .results_dir = self->results_dir,
        .is_lab_kept = true,
        .has_left_p = &has_left};
    if (trial_play(&trial, &result, &err) < 0) {
        progress_end(self->progress);
        bool is_interrupted = strcmp(err.text, "interrupted") == 0;
        printf("%s\n", is_interrupted ? "interrupted; the problem is given up" : err.text);
        return !has_left && !lab_is_ending(self->lab) && (!is_interrupted || self->is_terminal);
    }
    (void)results_report(self->progress, result, false);
    return !has_left;
}

static void list_problems(const prompt_t *self)
{
    for (size_t i = 0; i < self->id_count; i++)
        printf(
            "  %-44s %s\n", self->ids[i], problem_registry_at(self->registry, i)->family->summary);
}

static void say_unknown(const char *line)
{
    AUTO_FREE char *word = xstrndup(line, strcspn(line, " ("));
    AUTO_FREE char *hint = nearest_hint(word, words, ARRAY_SIZE(words));
    printf("'%s' is not understood here; %s\n", word,
        *hint ? hint : "'start ID' begins a problem, in which actions are; 'exit' leaves");
}

/* Returns false when the person has left. */
static bool take(prompt_t *self, const char *line)
{
    static const char starting[] = "start ";
    if (strcmp(line, "exit") == 0)
        return false;
    if (strncmp(line, starting, sizeof(starting) - 1) == 0) {
        const char *id = line + sizeof(starting) - 1;
        return start(self, id + strspn(id, " "));
    }
    if (strcmp(line, "start") == 0)
        puts("which problem? 'problems' lists them; Tab completes");
    else if (strcmp(line, "problems") == 0)
        list_problems(self);
    else if (strcmp(line, "help") == 0)
        fputs(welcome, stdout);
    else if (*line)
        say_unknown(line);
    fflush(stdout);
    return true;
}

/* A console of its own for each line: within a problem there is another, with other words. */
static char *ask(prompt_t *self)
{
    AUTO(console_destroy)
    console_t *console = console_new(self->lab, "aiopslab> ",
        (console_words_t){words, ARRAY_SIZE(words)}, (console_words_t){self->ids, self->id_count});
    self->is_terminal = console_is_terminal(console);
    return console_read(console);
}

static int converse(prompt_t *self)
{
    fputs(welcome, stdout);
    for (bool goes_on = true; goes_on;) {
        AUTO_FREE char *line = ask(self);
        goes_on = line && take(self, line);
    }
    bool is_ended = lab_take_interrupt(self->lab) || lab_is_ending(self->lab);
    return is_ended ? EXIT_INTERRUPTED : EXIT_DONE;
}

static int prepare(prompt_t *self, err_t *err)
{
    AUTO_FREE char *data_dir = paths_data_dir();
    AUTO_FREE char *folder = xasprintf("%s/problems", data_dir);
    AUTO_FREE char *state_dir = paths_state_dir(err);
    self->registry =
        state_dir ? problem_registry_new(&(problem_sources_t){.folder = folder}, err) : NULL;
    if (!self->registry)
        return -(int)err->code;
    self->results_dir = xasprintf("%s/results", state_dir);
    self->id_count = problem_registry_count(self->registry);
    self->ids = xcalloc(self->id_count, sizeof(*self->ids));
    for (size_t i = 0; i < self->id_count; i++)
        self->ids[i] = problem_registry_at(self->registry, i)->id;
    self->lab = lab_open(LAB_ANY, err);
    if (!self->lab)
        return -(int)err->code;
    self->progress = progress_new(lab_ev(self->lab), stdout);
    return 0;
}

static void done(prompt_t *self)
{
    progress_destroy(&self->progress);
    lab_destroy(&self->lab);
    problem_registry_destroy(&self->registry);
    free(self->ids);
    free(self->results_dir);
}

static int run(int argc, char **argv)
{
    static const struct argp parser = {NULL, NULL, NULL,
        "Opens the prompt: 'start ID' begins a problem, then each line is an action, 'exit' "
        "leaves. Brings a system of its own up if none runs.",
        NULL, NULL, NULL};
    prompt_t prompt = {0};
    err_t err = {0};
    int status;
    if (!command_parse(&parser, argc, argv, NULL, &status))
        return status;
    status = prepare(&prompt, &err) < 0 ? command_fail(&err) : converse(&prompt);
    done(&prompt);
    return status;
}

const command_t command_prompt = {
    .name = "prompt", .summary = "solve problems yourself (the default)", .run = run};
