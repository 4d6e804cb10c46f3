/* What makes a fault look, begin and end by itself: changes of objects, and time. */
#include "services/injector/active_fault.h"

enum { CHECK_EVERY_MS = 2000 };

static void check_if_idle(active_fault_t *self)
{
    if (self->demand_count == 0 && self->state == FAULT_ACTIVE)
        active_fault_demand(self, FAULT_CHECK, NULL);
}

static void on_change(void *arg, kube_change_t change, json_t *object)
{
    (void)object;
    if (change != KUBE_LOST)
        check_if_idle(arg);
}

static void start_watch(active_fault_t *self)
{
    if (!self->kind->watched || self->watch || !self->server)
        return;
    kube_config_t config = {.server = self->server, .token = self->token, .ca_pem = self->ca};
    if (!self->kube)
        self->kube = kube_new(self->ev, &config, NULL);
    if (self->kube)
        self->watch = kube_watch(self->kube,
            KUBE(self->kind->watched, self->record->namespace, NULL), NULL, NULL, on_change, self);
}

static void on_check_due(void *arg)
{
    active_fault_t *self = arg;
    self->check_timer = 0;
    check_if_idle(self);
    active_fault_follow(self);
}

int64_t active_fault_due_at(const active_fault_t *self)
{
    const record_times_t *times = &self->record->times;
    switch (self->state) {
    case FAULT_SCHEDULED:
        return times->start_at;
    case FAULT_INJECTING: /* the next target of a ramp */
        return times->start_at
               + times->ramp_ms * (int64_t)self->struck_count
                     / (int64_t)(json_array_size(self->record->struck) + 1);
    case FAULT_ACTIVE:
    case FAULT_UNDONE:
    case FAULT_DEAD:
        return times->for_ms > 0 ? times->end_at : 0;
    case FAULT_RECOVERING:
    case FAULT_RECOVERED:
    case FAULT_FAILED:
    case FAULT_STATES:
        break;
    }
    return 0;
}

static void on_round(void *arg)
{
    active_fault_t *self = arg;
    self->round_timer = 0;
    if (active_fault_due_at(self) > record_now()) { /* the two clocks round differently */
        active_fault_follow(self);
        return;
    }
    bool is_start = self->state == FAULT_SCHEDULED || self->state == FAULT_INJECTING;
    active_fault_demand(self, is_start ? FAULT_INJECT : FAULT_END, NULL);
}

void active_fault_follow(active_fault_t *self)
{
    ev_cancel(self->ev, self->round_timer);
    self->round_timer = 0;
    int64_t due = active_fault_due_at(self);
    int64_t now = record_now();
    if (due)
        self->round_timer = ev_after(self->ev, due > now ? due - now : 0, on_round, self);
    if (self->state == FAULT_ACTIVE) {
        start_watch(self);
        if (!self->check_timer)
            self->check_timer = ev_after(self->ev, CHECK_EVERY_MS, on_check_due, self);
    } else if (self->state == FAULT_RECOVERING || self->state == FAULT_SCHEDULED) {
        kube_watch_end(&self->watch);
    }
}

void active_fault_unfollow(active_fault_t *self)
{
    kube_watch_end(&self->watch);
    ev_cancel(self->ev, self->round_timer);
    ev_cancel(self->ev, self->check_timer);
    self->round_timer = 0;
    self->check_timer = 0;
}
