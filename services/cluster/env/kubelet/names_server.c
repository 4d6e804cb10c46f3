/* The name server itself: names.c's answers, by DNS. */
#include "services/cluster/env/kubelet/names.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/runtime/dns.h"

#include <arpa/inet.h>

struct names {
    store_t *store; /* borrowed */
    dns_t *dns;
};

static void lookup(void *arg, const char *name, uint16_t type, dns_answer_t *answer)
{
    names_lookup(((names_t *)arg)->store, name, type, answer);
}

names_t *names_new(ev_t *ev, store_t *store, err_t *err)
{
    AUTO(names_destroy) names_t *self = xcalloc(1, sizeof(*self));
    self->store = store;
    self->dns = dns_new(ev, (struct in_addr){inet_addr("10.96.0.10")}, lookup, self, err);
    return self->dns ? TAKE(self) : NULL;
}

void names_destroy(names_t **self_p)
{
    names_t *self = *self_p;
    if (!self)
        return;
    dns_destroy(&self->dns);
    free(self);
    *self_p = NULL;
}
