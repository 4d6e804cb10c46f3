#include "tests/support/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* Outside user and group become root inside. */
static void map_ids(uid_t uid, gid_t gid)
{
    char map[64];
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof(map), "0 %u 1\n", (unsigned)uid);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof(map), "0 %u 1\n", (unsigned)gid);
    write_file("/proc/self/gid_map", map);
}

static int loopback_up(void)
{
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int rc = ioctl(fd, SIOCSIFFLAGS, &loopback);
    if (fd >= 0)
        close(fd);
    return rc;
}

static int run_inside(int (*run)(void))
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0
        || mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0) {
        fprintf(stderr, "mount: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    if (loopback_up() < 0) {
        fprintf(stderr, "lo: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    return run();
}

static int wait_for(pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

static int enter_and_run(int (*run)(void))
{
    uid_t uid = getuid();
    gid_t gid = getgid();
    int flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
    if (unshare(uid == 0 ? flags : flags | CLONE_NEWUSER) < 0) {
        printf("SKIPPED: no namespaces for this user: %s\n", strerror(errno));
        return TEST_SKIPPED;
    }
    if (uid != 0)
        map_ids(uid, gid);
    pid_t child = fork();
    if (child == 0)
        exit(run_inside(run)); /* where LeakSanitizer has its say */
    return wait_for(child);
}

int in_namespaces(int (*run)(void))
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int status = enter_and_run(run);
        fflush(NULL);
        _exit(
            status); /* its pid namespace has ended: it can start nobody, not even LeakSanitizer */
    }
    return wait_for(child);
}
