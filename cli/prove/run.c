/* Proofs as processes: each is an `aiopslab run` of its own, so many at once. */
#include "base/auto.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/prove/proof.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARALLEL_MAX = 64 };

/* In the child. */
static void become(const proof_t *proof, const char *run_dir, const char *results_dir, int out)
{
    char seed[24];
    char solution[24];
    snprintf(seed, sizeof(seed), "%lld", (long long)proof->seed);
    snprintf(solution, sizeof(solution), "%u", proof->solution);
    char *argv[16] = {(char *)"aiopslab", (char *)"run", proof->problem->id, (char *)"--agent",
        (char *)proof->agent, (char *)"--seed", seed, (char *)"--solution", solution,
        (char *)"--results-dir", (char *)results_dir, (char *)"--json",
        proof->is_healthy ? (char *)"--healthy" : NULL};
    int null = open("/dev/null", O_RDWR);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setenv("AIOPSLAB_RUN", run_dir, 1);
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    execv("/proc/self/exe", argv);
    _exit(EXIT_WRONG);
}

static void start(proof_t *proof, const char *run_dir, const char *results_dir)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return;
    proof->pid = fork();
    if (proof->pid == 0)
        become(proof, run_dir, results_dir, ends[1]);
    close(ends[1]);
    proof->fd = ends[0];
}

/* Takes what the run says; false at its end. */
static bool take(proof_t *proof)
{
    char piece[4096];
    ssize_t size = read(proof->fd, piece, sizeof(piece));
    if (size < 0 && errno == EINTR)
        return true;
    if (size <= 0)
        return false;
    proof->said = mem_check(realloc(proof->said, proof->said_size + (size_t)size));
    memcpy(proof->said + proof->said_size, piece, (size_t)size);
    proof->said_size += (size_t)size;
    return true;
}

/* Returns the exit status of the run. */
static int finish(proof_t *proof)
{
    int status = 0;
    close(proof->fd);
    proof->fd = -1;
    if (proof->pid > 0 && waitpid(proof->pid, &status, 0) < 0)
        status = 0;
    proof->pid = 0;
    if (proof->said)
        proof->result = json_loadb(proof->said, proof->said_size, 0, NULL);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_WRONG;
}

/* Waits until one of the running has something to say, and takes it. Returns the one that ended, or
 * NULL. */
static proof_t *wait_for_one(proofs_t *self)
{
    struct pollfd polled[PARALLEL_MAX];
    proof_t *running[PARALLEL_MAX];
    nfds_t count = 0;
    for (size_t i = 0; i < self->count && count < PARALLEL_MAX; i++) {
        if (self->items[i].fd < 0)
            continue;
        running[count] = &self->items[i];
        polled[count++] = (struct pollfd){.fd = self->items[i].fd, .events = POLLIN};
    }
    (void)poll(polled, count, -1); /* interrupted, it is asked again */
    for (nfds_t i = 0; i < count; i++) {
        if (polled[i].revents && !take(running[i]))
            return running[i];
    }
    return NULL;
}

bool proofs_run(proofs_t *self, const char *run_dir, const char *results_dir, size_t parallel,
    void (*on_end)(void *arg, const proof_t *proof), void *arg)
{
    size_t next = 0;
    size_t running = 0;
    bool is_interrupted = false;
    size_t limit = parallel < PARALLEL_MAX ? parallel : PARALLEL_MAX;
    while (running > 0 || (next < self->count && !is_interrupted)) {
        if (running < limit && next < self->count && !is_interrupted) {
            start(&self->items[next], run_dir, results_dir);
            running += self->items[next++].fd >= 0;
            continue;
        }
        proof_t *ended = wait_for_one(self);
        if (!ended)
            continue;
        is_interrupted = finish(ended) == EXIT_INTERRUPTED || is_interrupted;
        running--;
        on_end(arg, ended);
    }
    return !is_interrupted;
}
