/* deploy - puts an application into an environment and waits until it is ready. */
#ifndef CLUSTER_DEPLOY_H
#define CLUSTER_DEPLOY_H

#include "base/err.h"

#include <jansson.h>

typedef struct deploy {
    const char *server;
    const char *token;
    const char *ca;
    const char *data_dir;
    const char *app;
    int64_t timeout_ms;
    char *namespace; /* out: for free() */
    json_t *phases;  /* out: {"apply": ms, "ready": ms}, a new reference */
    int rc;          /* out: 0, or the code of err */
    err_t err;       /* out, if rc is not 0 */
} deploy_t;

/* Blocking, for a job, whose argument is a deploy_t. Leaves its outcome there. */
void deploy_run(void *arg);

#endif
