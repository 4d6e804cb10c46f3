/* Watches: services that wait for the end of a program. */
#include "broker/internal.h"

#include "base/auto.h"
#include "base/mem.h"

typedef struct watch {
    uint64_t asker;  /* the routing id of who asked */
    uint64_t caller; /* who is watched */
    int64_t deadline;
    size_t id_size;
    char id[FLIGHT_ID_LIMIT];
    TAILQ_ENTRY(watch) in_watches;
} watch_t;

static void watch_remove(broker_t *self, watch_t *watch)
{
    TAILQ_REMOVE(&self->watches, watch, in_watches);
    free(watch);
}

static bool is_present(const broker_t *self, uint64_t caller)
{
    peer_t *peer;
    TAILQ_FOREACH(peer, &self->registry.peers, in_peers)
    {
        if (peer->caller == caller && peer->is_known && !peer->is_leaving && !peer->is_lost)
            return true;
    }
    return false;
}

static void answer_gone(broker_t *self, const watch_t *watch, const char *how)
{
    answer_message(self, watch->asker, watch->id, watch->id_size, &broker_gone_type,
        &(broker_gone_t){.how = how});
}

static void expire(broker_t *self, const watch_t *watch)
{
    err_t err;
    err_set(&err, ERR_TIMEOUT, "the program is still there");
    answer_error(self, watch->asker, watch->id, watch->id_size, &err, 0);
}

/* An asker that lost its connection asks again; the answer goes to where it asks from now. */
static void forget_earlier(broker_t *self, const watch_t *watch)
{
    watch_t *earlier;
    TAILQ_FOREACH(earlier, &self->watches, in_watches)
    {
        if (earlier->asker == watch->asker && earlier->id_size == watch->id_size
            && memcmp(earlier->id, watch->id, watch->id_size) == 0) {
            watch_remove(self, earlier);
            return;
        }
    }
}

void watches_begin(
    broker_t *self, const peer_t *asker, const envelope_peek_t *peek, uint64_t caller)
{
    watch_t *watch = xcalloc(1, sizeof(*watch));
    watch->asker = asker->routing;
    watch->caller = caller;
    watch->deadline = self->now + intake_budget(peek);
    watch->id_size = peek->id_size;
    memcpy(watch->id, peek->id, peek->id_size);
    forget_earlier(self, watch);
    if (!is_present(self, caller)) {
        answer_gone(self, watch, "absent");
        free(watch);
        return;
    }
    TAILQ_INSERT_TAIL(&self->watches, watch, in_watches);
}

bool watches_has(const broker_t *self, uint64_t caller)
{
    watch_t *watch;
    TAILQ_FOREACH(watch, &self->watches, in_watches)
    {
        if (watch->caller == caller)
            return true;
    }
    return false;
}

void watches_note_end(broker_t *self, const peer_t *peer, const char *how)
{
    bool is_back = is_present(self, peer->caller);
    for (watch_t *watch = TAILQ_FIRST(&self->watches), *next = NULL; watch; watch = next) {
        next = TAILQ_NEXT(watch, in_watches);
        bool is_met = watch->caller == peer->caller && !is_back;
        if (is_met)
            answer_gone(self, watch, how);
        if (is_met || watch->asker == peer->routing)
            watch_remove(self, watch);
    }
}

void watches_sweep(broker_t *self)
{
    for (watch_t *watch = TAILQ_FIRST(&self->watches), *next = NULL; watch; watch = next) {
        next = TAILQ_NEXT(watch, in_watches);
        if (watch->deadline > self->now)
            continue;
        expire(self, watch);
        watch_remove(self, watch);
    }
}

void watches_done(broker_t *self)
{
    while (!TAILQ_EMPTY(&self->watches))
        watch_remove(self, TAILQ_FIRST(&self->watches));
}
