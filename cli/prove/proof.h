/* proof - one attempt at one problem whose outcome is known beforehand. */
#ifndef CLI_PROVE_PROOF_H
#define CLI_PROVE_PROOF_H

#include "problems/problem.h"

#include <sys/types.h>

typedef enum { PROOF_FAILURE, PROOF_SUCCESS, PROOF_ANY } proof_outcome_t;

typedef struct proof {
    const problem_t *problem; /* borrowed from the registry */
    const char *agent;
    int64_t seed;
    uint32_t solution; /* the oracle's */
    bool is_healthy;   /* without the fault */
    proof_outcome_t wanted;
    json_t *result; /* of the session; NULL: there was none */
    pid_t pid;      /* of the run; 0: not running */
    int fd;         /* what it says */
    char *said;
    size_t said_size;
} proof_t;

typedef struct proofs {
    proof_t *items;
    size_t count;
} proofs_t;

/* Adds what is to be proven of a problem with a seed; of the first of its family, the healthy twin,
 * too. */
void proofs_add(proofs_t *self, const problem_t *problem, int64_t seed, bool is_first);
void proofs_done(proofs_t *self);

/* Runs them, so many at once, each as `aiopslab run` in the lab of run_dir. on_end is called after
 * each. Returns false if it was interrupted. */
bool proofs_run(proofs_t *self, const char *run_dir, const char *results_dir, size_t parallel,
    void (*on_end)(void *arg, const proof_t *proof), void *arg);

/* Whether it came out as it should. */
bool proof_is_right(const proof_t *self);

/* "success", "failure" or why there was no verdict; for free(). */
char *proof_outcome(const proof_t *self);

/* How long after the fault it showed in the load; -1: it did not, or there was nothing to wait for.
 */
int64_t proof_symptom_ms(const proof_t *self);

#endif
