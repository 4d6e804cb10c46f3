/* What others do with a supervisor: start it, and find it. */
#include "cli/supervisor.h"

#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

void supervisor_add_option(const char **argv, size_t *count_p, const char *name, const char *value)
{
    if (!value)
        return;
    argv[(*count_p)++] = name;
    argv[(*count_p)++] = value;
}

/* Both are first moved out of the way of the numbers that they will have. */
static void pass_descriptors(const supervisor_options_t *options)
{
    int null = open("/dev/null", O_RDWR);
    int owner = options->owner_fd < 0 ? -1 : fcntl(options->owner_fd, F_DUPFD, 16);
    int report = options->report_fd < 0 ? -1 : fcntl(options->report_fd, F_DUPFD, 16);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    close(SUPERVISOR_OWNER_FD);
    close(SUPERVISOR_REPORT_FD);
    if (owner >= 0)
        dup2(owner, SUPERVISOR_OWNER_FD);
    if (report >= 0)
        dup2(report, SUPERVISOR_REPORT_FD);
    closefrom(SUPERVISOR_REPORT_FD + 1);
}

static void become(const supervisor_options_t *options)
{
    const char *argv[16] = {"aiopslab", "supervise"};
    size_t count = 2;
    supervisor_add_option(argv, &count, "--run", options->run_dir);
    supervisor_add_option(argv, &count, "--state", options->state_dir);
    supervisor_add_option(argv, &count, "--listen", options->listen);
    supervisor_add_option(argv, &count, "--config", options->config_path);
    if (options->is_private)
        argv[count++] = "--private";
    AUTO_FREE char *log_path = xasprintf("%s/supervisor.log", options->run_dir);
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log >= 0)
        dup2(log, STDERR_FILENO);
    setsid(); /* signals of the terminal are the command's affair */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    pass_descriptors(options);
    execv("/proc/self/exe", (char *const *)argv);
    _exit(127);
}

pid_t supervisor_spawn(const supervisor_options_t *options, err_t *err)
{
    pid_t pid = fork();
    if (pid < 0)
        return err_set(err, ERR_IO, "cannot start the supervisor: %s", strerror(errno));
    if (pid == 0)
        become(options);
    return pid;
}

pid_t supervisor_find(const char *run_dir)
{
    AUTO_FREE char *path = xasprintf("%s/supervisor.lock", run_dir);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return 0;
    bool is_free = fcntl(fd, F_GETLK, &whole) < 0 || whole.l_type == F_UNLCK;
    close(fd);
    return is_free ? 0 : whole.l_pid;
}
