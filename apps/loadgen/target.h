/* target - where the load goes. */
#ifndef LOADGEN_TARGET_H
#define LOADGEN_TARGET_H

#include "base/err.h"

#include <netinet/in.h>

typedef struct target {
    char host[256]; /* as in the Host header */
    struct sockaddr_in address;
} target_t;

/* Takes http://host[:port][/] apart and looks the host up, again and again for up to ten seconds,
 * or until stop_fd is readable: a Service may be made after the load. */
int target_find(target_t *self, const char *url, int stop_fd, err_t *err);

#endif
