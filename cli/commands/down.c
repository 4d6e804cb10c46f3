/* down: ends what `up` began. */
#include "cli/command.h"
#include "cli/lab.h"
#include "cli/supervisor.h"

#include "base/auto.h"
#include "base/paths.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000 };

/* By descriptor, so that no other process that has got its number meanwhile is hit. */
static int end(pid_t pid, err_t *err)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return errno == ESRCH ? 0 : err_set(err, ERR_IO, "cannot reach it: %s", strerror(errno));
    struct pollfd gone = {.fd = fd, .events = POLLIN};
    long rc = syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0);
    bool is_gone = rc < 0 || poll(&gone, 1, PATIENCE_MS) > 0;
    if (!is_gone) {
        (void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0); /* its children go with it */
        (void)poll(&gone, 1, PATIENCE_MS);
    }
    close(fd);
    return 0;
}

static int stop(err_t *err)
{
    AUTO_FREE char *run_dir = paths_run_dir(err);
    if (!run_dir)
        return -(int)err->code;
    pid_t pid = supervisor_find(run_dir);
    if (pid)
        return end(pid, err);
    if (lab_is_running(run_dir))
        return err_set(err, ERR_STATE,
            "what runs in '%s' was not begun by 'aiopslab up'; end it where it was begun", run_dir);
    printf("nothing runs in %s\n", run_dir);
    return 0;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    argp_error(state, "unexpected argument '%s'", value);
    return EINVAL;
}

static int run(int argc, char **argv)
{
    static const struct argp parser = {NULL, parse_option, NULL,
        "Takes down what 'aiopslab up' brought up, environments included.", NULL, NULL, NULL};
    int status;
    err_t err = {0};
    if (!command_parse(&parser, argc, argv, NULL, &status))
        return status;
    return stop(&err) < 0 ? command_fail(&err) : EXIT_DONE;
}

const command_t command_down = {
    .name = "down", .summary = "take down what 'up' brought up", .run = run};
