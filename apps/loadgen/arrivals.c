#include "apps/loadgen/arrivals.h"

#include "base/auto.h"

#include <math.h>
#include <string.h>

static double gap_ns(arrivals_t *self)
{
    if (self->kind == ARRIVALS_CONSTANT)
        return self->interval_ns;
    return -log1p(-random_real(&self->random)) * self->interval_ns;
}

void arrivals_init(arrivals_t *self, arrivals_kind_t kind, double rate, uint64_t seed)
{
    self->kind = kind;
    self->interval_ns = 1e9 / rate;
    random_init(&self->random, seed, 1);
    self->next_ns = kind == ARRIVALS_CONSTANT ? 0 : gap_ns(self);
}

int64_t arrivals_due(const arrivals_t *self)
{
    return (int64_t)self->next_ns;
}

void arrivals_advance(arrivals_t *self)
{
    self->next_ns += gap_ns(self);
}

int arrivals_parse(const char *name, arrivals_kind_t *kind_p, err_t *err)
{
    static const struct {
        const char *name;
        arrivals_kind_t kind;
    } names[] = {{"const", ARRIVALS_CONSTANT}, {"constant", ARRIVALS_CONSTANT},
        {"exp", ARRIVALS_EXPONENTIAL}, {"exponential", ARRIVALS_EXPONENTIAL},
        {"fixed", ARRIVALS_CONSTANT}, {"norm", ARRIVALS_CONSTANT}};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(names[i].name, name) == 0) {
            *kind_p = names[i].kind;
            return 0;
        }
    }
    return err_set(err, ERR_INVALID, "distribution '%s' is neither constant nor exponential", name);
}
