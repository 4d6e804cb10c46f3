/* launcher - starts aiopslab-env in namespaces of its own. */
#ifndef CLUSTER_LAUNCHER_H
#define CLUSTER_LAUNCHER_H

#include "base/err.h"

#include <jansson.h>
#include <sys/types.h>

typedef struct launched {
    pid_t pid;
    int pidfd;
    int control_fd; /* our end of the control line */
    int port;       /* of the API server on 127.0.0.1 */
} launched_t;

/* Starts the program with settings, to which the descriptors are added. All descriptors in
 * *launched are the caller's. Fails with a sentence that says what to enable when neither root nor
 * user namespaces are to be had. */
int launcher_start(const char *program, json_t *settings, launched_t *launched, err_t *err);

#endif
