/* supervisor - the process that a lab belongs to: it starts broker and services as its children,
 * starts a dead one again, and takes all of them down.
 *
 * Its children die with it (PR_SET_PDEATHSIG), and what they leave behind becomes its own
 * (PR_SET_CHILD_SUBREAPER) and is ended, too. In the run directory it keeps
 *     supervisor.lock   locked while it lives; the lock's owner is the supervisor
 *     services.json     [{name, pid, restarts, since_ms, reason}]
 *     log/NAME.log      what each of them says */
#ifndef CLI_SUPERVISOR_H
#define CLI_SUPERVISOR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The descriptors by which `aiopslab supervise` gets owner_fd and report_fd; closed: there is none.
 */
enum { SUPERVISOR_OWNER_FD = 3, SUPERVISOR_REPORT_FD = 4 };

typedef struct supervisor_options {
    const char *run_dir;
    const char *state_dir;
    const char *listen;      /* endpoint for agents and other machines; NULL: none */
    const char *config_path; /* settings of all programs; NULL: none */
    bool is_private;         /* ends with its owner, and removes run_dir and state_dir */
    int owner_fd;            /* has an end of file when the owner is gone; -1: there is no owner */
    int report_fd;           /* where a program that does not start is reported, "CODE SENTENCE\n";
                                -1: nowhere */
} supervisor_options_t;

/* The supervisor's whole life: in a process of its own. */
int supervisor_run(const supervisor_options_t *options, err_t *err);

/* Starts `aiopslab supervise` for the options in a session of its own. owner_fd and report_fd are
 * what the new process gets; they stay the caller's, too. Returns its pid, or a negative code. */
pid_t supervisor_spawn(const supervisor_options_t *options, err_t *err);

/* Appends an option to a command line, unless its value is NULL. */
void supervisor_add_option(const char **argv, size_t *count_p, const char *name, const char *value);

/* The pid of the supervisor of a run directory, or 0 if there is none. */
pid_t supervisor_find(const char *run_dir);

#endif
