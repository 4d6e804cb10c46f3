/* command - what can follow `aiopslab`. A command is a file in commands/ with a const command_t,
 * and a line in the table of commands.c. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/err.h"

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct command {
    const char *name;
    const char *summary;               /* NULL: not for people, and not shown to them */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit status */
} command_t;

/* How a command ends. */
enum {
    EXIT_DONE = 0,
    EXIT_WRONG = 1,   /* it could not be done; of a run: the agent was wrong */
    EXIT_USAGE = 2,   /* the call is wrong: an unknown name, a broken file */
    EXIT_VOID = 3,    /* of a run: no verdict */
    EXIT_UNSAVED = 4, /* of a run: a result is not where it should be */
    EXIT_INTERRUPTED = 130,
};

extern const command_t *const commands[];
extern const size_t command_count;

extern const command_t command_down;
extern const command_t command_env;
extern const command_t command_faults;
extern const command_t command_inject;
extern const command_t command_judge;
extern const command_t command_mcp;
extern const command_t command_problems;
extern const command_t command_prompt;
extern const command_t command_prove;
extern const command_t command_recover;
extern const command_t command_run;
extern const command_t command_scores;
extern const command_t command_status;
extern const command_t command_supervise;
extern const command_t command_up;

/* Parses as argp does, with "aiopslab NAME" for a name and 2 as the status of a wrong call. Returns
 * false if the command is to end with *status_p. */
bool command_parse(const struct argp *parser, int argc, char **argv, void *options, int *status_p);

/* Prints the sentence as this program's and returns the exit status that fits. */
int command_fail(const err_t *err);

/* Says that there is no such thing, and what may have been meant, or else how all are listed;
 * returns EXIT_USAGE. */
int command_unknown(
    const char *what, const char *word, const char *const *names, size_t count, const char *list);

#endif
