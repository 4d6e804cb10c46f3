/* policy_rules - what NetworkPolicies mean, in nft's language. */
#ifndef CLUSTER_ENV_KUBELET_POLICY_RULES_H
#define CLUSTER_ENV_KUBELET_POLICY_RULES_H

#include <jansson.h>
#include <netinet/in.h>
#include <stddef.h>

/* Somebody with an address whom a policy may select. All borrowed. */
typedef struct policy_peer {
    struct in_addr address;
    const char *namespace;
    const json_t *namespace_labels;
    const json_t *labels;
    const json_t *containers; /* for the names of their ports */
} policy_peer_t;

/* The commands that put these policies, an array, in force instead of those before; for free().
 * Packets that answer an allowed connection pass; all others are judged one by one, so that a
 * policy also ends connections which it would not let begin. */
char *policy_rules_text(const json_t *policies, const policy_peer_t *peers, size_t count);

#endif
