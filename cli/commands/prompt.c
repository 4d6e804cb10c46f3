/* prompt: what `aiopslab` alone opens, after the original's: 'start ID', then each line is an
 * action, 'exit'. */
#include "cli/command.h"
#include "cli/console.h"
#include "cli/trial.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/paths.h"
#include "problems/problem.h"

#include <stdio.h>
#include <string.h>

static const char welcome[] = "AIOpsLab\n"
                              "  start ID    begins a problem; then each line is an action\n"
                              "  problems    lists them (Tab completes)\n"
                              "  exit        leaves\n";

static const char *const words[] = {"exit", "help", "problems", "start"};

typedef struct prompt {
    lab_t *lab;
    progress_t *progress;
    problem_registry_t *registry;
    const char **ids; /* of problems; borrowed from the registry */
    size_t id_count;
    char *results_dir;
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
        .has_left_p = &has_left};
    if (trial_play(&trial, &result, &err) < 0) {
        progress_end(self->progress);
        printf("%s\n", err.text);
        return !has_left && strcmp(err.text, "interrupted") != 0;
    }
    bool is_success;
    bool is_void;
    AUTO_FREE char *verdict = trial_verdict(result, &is_success, &is_void);
    const char *path = json_string_value(json_object_get(result, "result_path"));
    progress_verdict(self->progress, is_success, "  %s", verdict);
    progress_say(self->progress, "  result   %s", path ? path : "could not be written to a file");
    return !has_left;
}

static void list_problems(const prompt_t *self)
{
    for (size_t i = 0; i < self->id_count; i++)
        printf("  %s\n", self->ids[i]);
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
    if (strcmp(line, "problems") == 0)
        list_problems(self);
    else if (strcmp(line, "help") == 0)
        fputs(welcome, stdout);
    else if (*line)
        printf("'%s' is not understood here; 'start ID' begins a problem, 'exit' leaves\n", line);
    fflush(stdout);
    return true;
}

/* A console of its own for each line: within a problem there is another, with other words. */
static char *ask(prompt_t *self)
{
    AUTO(console_destroy)
    console_t *console = console_new(self->lab, "aiopslab> ",
        (console_words_t){words, ARRAY_SIZE(words)}, (console_words_t){self->ids, self->id_count});
    return console_read(console);
}

static int converse(prompt_t *self)
{
    fputs(welcome, stdout);
    for (bool goes_on = true; goes_on;) {
        AUTO_FREE char *line = ask(self);
        goes_on = line && take(self, line);
    }
    return lab_take_interrupt(self->lab) ? EXIT_INTERRUPTED : EXIT_DONE;
}

static int prepare(prompt_t *self, err_t *err)
{
    AUTO_FREE char *data_dir = paths_data_dir();
    AUTO_FREE char *folder = xasprintf("%s/problems", data_dir);
    AUTO_FREE char *state_dir = paths_state_dir(err);
    self->registry = state_dir ? problem_registry_new(folder, err) : NULL;
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
