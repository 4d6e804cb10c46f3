/* ruleset - nftables of the present network namespace, in nft's own language. */
#ifndef CLUSTER_RUNTIME_RULESET_H
#define CLUSTER_RUNTIME_RULESET_H

#include "base/err.h"

typedef struct ruleset ruleset_t;

ruleset_t *ruleset_new(err_t *err);
void ruleset_destroy(ruleset_t **self_p);

/* Runs commands: all of them, or none. In force when it returns. */
int ruleset_run(ruleset_t *self, const char *commands, err_t *err);

#endif
