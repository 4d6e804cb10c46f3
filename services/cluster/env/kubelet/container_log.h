/* container_log - what one run of a container wrote, line by line, and who follows it.
 *
 * Kept in memory; beyond its limit the oldest lines are dropped, as rotation drops them. */
#ifndef CLUSTER_ENV_KUBELET_CONTAINER_LOG_H
#define CLUSTER_ENV_KUBELET_CONTAINER_LOG_H

#include "services/cluster/env/api/node_ops.h"

#include <stddef.h>

typedef struct container_log container_log_t;

enum { CONTAINER_LOG_LIMIT = 1 << 20 };

container_log_t *container_log_new(void);
/* Ends what follows it. */
void container_log_destroy(container_log_t **self_p);

/* Takes output as it came; a line that is not ended waits for its end. */
void container_log_append(container_log_t *self, const char *bytes, size_t size);

/* There will be no more: an unended line is a line, followers are done. */
void container_log_close(container_log_t *self);

/* The last lines, at most so many and of so many bytes; for free(). */
char *container_log_tail(const container_log_t *self, size_t lines, size_t bytes);

/* Answers from what there is; a follower of an open log stays. Takes the reply. */
void container_log_answer(container_log_t *self, const node_log_t *query, node_reply_t *reply);

#endif
