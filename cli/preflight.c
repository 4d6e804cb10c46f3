#include "cli/preflight.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SPACES = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS };

/* Tries it as the cluster service will: with the rights that we have, else with those of a user
 * namespace of our own. Returns 0 or the cause. */
static int try_namespaces(void)
{
    if (unshare(SPACES) == 0)
        return 0;
    return unshare(CLONE_NEWUSER | SPACES) == 0 ? 0 : errno;
}

/* What a one-line file says, or -1. */
static long read_number(const char *path)
{
    FILE *file = fopen(path, "re");
    long number = -1;
    if (!file)
        return -1;
    if (fscanf(file, "%ld", &number) != 1)
        number = -1;
    fclose(file);
    return number;
}

static const struct hindrance {
    const char *path;
    const char *setting;
    long bad;
} hindrances[] = {
    {"/proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone=1", 0},
    {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "kernel.apparmor_restrict_unprivileged_userns=0", 1},
    {"/proc/sys/user/max_user_namespaces", "user.max_user_namespaces=15000", 0},
};

static int explain(int cause, err_t *err)
{
    for (size_t i = 0; i < sizeof(hindrances) / sizeof(hindrances[0]); i++) {
        if (read_number(hindrances[i].path) == hindrances[i].bad)
            return err_set(err, ERR_FORBIDDEN,
                "environments need user namespaces, which are switched off here: enable them with "
                "'sysctl -w %s' as root, or run aiopslab as root",
                hindrances[i].setting);
    }
    return err_set(err, ERR_FORBIDDEN,
        "environments need namespaces, which are refused here (%s): run aiopslab as root; in a "
        "container, allow unshare (--privileged, or --cap-add SYS_ADMIN and no seccomp filter)",
        strerror(cause));
}

int preflight_check(err_t *err)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(try_namespaces());
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return err_set(err, ERR_IO, "cannot start a process: %s", strerror(errno));
    int cause = WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
    return cause == 0 ? 0 : explain(cause, err);
}
