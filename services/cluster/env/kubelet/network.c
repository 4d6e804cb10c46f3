/* What an environment's network is made of beside the pods. */
#include "services/cluster/env/kubelet/internal.h"

#include "services/cluster/runtime/netns.h"

#include <arpa/inet.h>

int network_begin(kubelet_t *self, err_t *err)
{
    for (int i = 0; i < self->node_count; i++) {
        if (netns_add_router_address((struct in_addr){inet_addr(nodes_address(i))}, err) < 0)
            return -ERR_IO;
    }
    self->fronts = fronts_new(self->context.store, self->node_count, err);
    self->names = self->fronts ? names_new(self->context.ev, self->context.store, err) : NULL;
    self->policies = self->names ? policies_new(self->context.ev, self->context.store, err) : NULL;
    return self->policies ? 0 : -ERR_IO;
}

void network_end(kubelet_t *self)
{
    policies_destroy(&self->policies);
    names_destroy(&self->names);
    fronts_destroy(&self->fronts);
}
