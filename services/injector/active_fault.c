#include "services/injector/active_fault.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"

enum { ENV_GET_MS = 10 * 1000, UNDONE_MS = 60 * 1000 };

/* ---- telling ------------------------------------------------------------------------------ */

/* What is struck, once that is known, else what was asked for. *struck_p holds the list. */
static fault_status_t status_of(const active_fault_t *self, char ***struck_p)
{
    const record_t *record = self->record;
    size_t count = json_array_size(record->struck);
    *struck_p = xcalloc(count + 1, sizeof(char *));
    for (size_t i = 0; i < count; i++)
        (*struck_p)[i] = (char *)json_string_value(json_array_get(record->struck, i));
    return (fault_status_t){.fault_id = record->fault_id,
        .fault = record->fault,
        .env = record->env,
        .state = active_fault_state_name(self->state),
        .reason = record->reason,
        .targets = count ? (codec_list_t){.items = *struck_p, .count = count} : record->targets,
        .evidence = self->work.evidence};
}

static void answer_with_status(active_fault_t *self, bus_request_t **request_p)
{
    if (!*request_p)
        return;
    AUTO_FREE char **struck = NULL;
    fault_status_t status = status_of(self, &struck);
    bus_reply(request_p, &fault_status_type, &status);
}

/* The one function that changes state. */
static void move(active_fault_t *self, fault_state_t state, const char *reason)
{
    assert(active_fault_may_move(self->state, state));
    err_t err = {0};
    AUTO_FREE char *topic = xasprintf("fault/%s/state", self->record->fault_id);
    AUTO_FREE char *kept = xstrdup(reason ? reason : "");
    self->state = state;
    record_set_state(self->record, active_fault_state_name(state), kept);
    log_info("fault.moved", "fault=%s kind=%s env=%s state=%s reason=\"%s\"",
        self->record->fault_id, self->record->fault, self->record->env,
        active_fault_state_name(state), kept);
    if (record_save(self->record, &err) < 0)
        log_error("fault.unrecorded", "fault=%s reason=\"%s\"", self->record->fault_id, err.text);
    AUTO_FREE char **struck = NULL;
    fault_status_t status = status_of(self, &struck);
    /* Who lost the event asks by fault.check. */
    (void)bus_publish(self->bus, topic, &fault_status_type, &status);
    active_fault_follow(self);
}

static void answer(active_fault_t *self, const err_t *err)
{
    fault_demand_t demand = self->demands[0];
    self->demand_count--;
    memmove(self->demands, self->demands + 1, self->demand_count * sizeof(demand));
    if (err && demand.request)
        bus_fail_err(&demand.request, err);
    else
        answer_with_status(self, &demand.request);
}

/* ---- the end ------------------------------------------------------------------------------ */

static void fail_all(active_fault_t *self, const err_t *err)
{
    while (self->demand_count)
        answer(self, err);
    if (self->ramping)
        bus_fail_err(&self->ramping, err);
}

static void on_dropped(void *arg)
{
    active_fault_t *self = arg;
    self->drop_timer = 0;
    injector_on_fault_dropped(self->owner, self);
}

/* With the environment the fault is gone, and all that it was about. */
static void drop(active_fault_t *self)
{
    err_t err;
    err_set(
        &err, ERR_NOT_FOUND, "environment '%s' is gone, and the fault with it", self->record->env);
    self->is_gone = true;
    active_fault_unfollow(self);
    record_forget(self->record);
    fail_all(self, &err);
    if (!self->drop_timer)
        self->drop_timer = ev_after(self->ev, 0, on_dropped, self);
}

/* ---- work --------------------------------------------------------------------------------- */

static void clear_work(active_fault_t *self)
{
    json_decref(self->work.evidence);
    self->work = (fault_work_t){.record = self->record, .spec = self->spec};
}

static void after_check(active_fault_t *self, const err_t *err)
{
    static const struct {
        fault_state_t state;
        const char *reason;
    } seen[] = {
        [FAULT_HOLDS] = {FAULT_ACTIVE, NULL},
        [FAULT_REPAIRED] = {FAULT_UNDONE, "somebody undid it"},
        [FAULT_DIED] = {FAULT_DEAD, "it ended by itself; nobody undid it"},
    };
    if (!err && self->work.finding == FAULT_REPAIRED && injector_is_covered(self->owner, self))
        self->work.finding = FAULT_HOLDS;
    fault_state_t state = err ? self->state : seen[self->work.finding].state;
    if (state != self->state)
        move(self, state, seen[self->work.finding].reason);
    answer(self, err);
}

static void after_injection(active_fault_t *self, const err_t *err)
{
    record_times_t *times = &self->record->times;
    if (!err && self->struck_count < json_array_size(self->record->struck)) {
        if (!self->ramping)
            self->ramping = TAKE(self->demands[0].request);
        active_fault_follow(self);
        answer(self, NULL);
        return;
    }
    times->end_at = times->for_ms > 0 ? record_now() + times->for_ms : 0;
    move(self, err ? FAULT_FAILED : FAULT_ACTIVE, err ? err->text : NULL);
    answer(self, NULL);
    answer_with_status(self, &self->ramping);
}

/* As new: it may be injected again. */
static void reset(active_fault_t *self)
{
    json_array_clear(self->record->changes);
    self->struck_count = 0;
}

static bool is_by_schedule(const record_times_t *times)
{
    return times->every_ms > 0 || times->start_at > times->asked_at;
}

static void after_undo(active_fault_t *self, const err_t *err)
{
    if (!err) {
        reset(self);
        if (is_by_schedule(&self->record->times)) {
            active_fault_follow(self);
        } else {
            record_forget(self->record);
            self->drop_timer = ev_after(self->ev, UNDONE_MS, on_dropped, self);
        }
    } else {
        move(self, FAULT_RECOVERING, NULL);
        move(self, FAULT_FAILED, err->text);
    }
    answer(self, err);
}

static void after_recovery(active_fault_t *self, const err_t *err)
{
    record_times_t *times = &self->record->times;
    if (err) {
        move(self, FAULT_FAILED, err->text);
    } else {
        injector_on_fault_recovered(self->owner, self);
        bool is_last = self->order != FAULT_END || times->rounds <= 1;
        times->rounds = is_last ? 0 : times->rounds - 1;
        times->start_at += times->every_ms;
        if (!is_last)
            reset(self);
        move(self, is_last ? FAULT_RECOVERED : FAULT_SCHEDULED, NULL);
    }
    answer(self, NULL);
    answer_with_status(self, &self->ramping);
}

static void on_worked(void *arg, void *task)
{
    active_fault_t *self = arg;
    (void)task;
    self->job = NULL;
    self->work.kube = NULL;
    if (self->is_gone) {
        drop(self);
        return;
    }
    err_t failure = self->work.err;
    const err_t *err = failure.code ? &failure : NULL;
    switch (self->order) {
    case FAULT_CHECK:
        after_check(self, err);
        break;
    case FAULT_INJECT:
        after_injection(self, err);
        break;
    case FAULT_RECOVER:
    case FAULT_END:
        after_recovery(self, err);
        break;
    case FAULT_UNDO:
        after_undo(self, err);
        break;
    }
    active_fault_go_on(self);
    injector_on_fault_idle(self->owner, self);
}

static void start_work(active_fault_t *self)
{
    clear_work(self);
    ev_cancel(self->ev, self->drop_timer);
    self->drop_timer = 0;
    if (self->order == FAULT_INJECT && self->state == FAULT_SCHEDULED)
        move(self, FAULT_INJECTING, NULL);
    else if (self->order == FAULT_RECOVER || self->order == FAULT_END)
        move(self, FAULT_RECOVERING, NULL);
    self->job = job_start(self->ev, active_fault_do_work, self, on_worked, self);
    if (!self->job) {
        err_set(&self->work.err, ERR_LIMIT, "no thread could be started");
        on_worked(self, self);
    }
}

/* ---- the environment ---------------------------------------------------------------------- */

static void on_env(void *arg, const bus_reply_t *reply)
{
    active_fault_t *self = arg;
    self->call = 0;
    if (reply->err && reply->err->code == ERR_NOT_FOUND) {
        drop(self);
        return;
    }
    if (reply->err) {
        err_t err = *reply->err;
        err_wrap(&err, "environment '%s'", self->record->env);
        fail_all(self, &err);
        return;
    }
    const env_info_t *info = reply->message;
    self->server = xstrdup(info->server ? info->server : "");
    self->token = xstrdup(info->token ? info->token : "");
    self->ca = info->ca ? xstrdup(info->ca) : NULL;
    active_fault_follow(self); /* if taken up from a former life */
    active_fault_go_on(self);
}

static void ask_for_env(active_fault_t *self)
{
    env_get_t message = {.env = self->record->env};
    bus_call_t call = {
        .target = "cluster", .type = &env_get_type, .message = &message, .timeout_ms = ENV_GET_MS};
    self->call = bus_request(self->bus, &call, on_env, self);
}

/* ---- demands ------------------------------------------------------------------------------ */

/* Whether the order means work in the present state; otherwise the state is the answer. */
static bool is_work(const active_fault_t *self, const fault_demand_t *demand)
{
    switch (demand->order) {
    case FAULT_INJECT: /* between the targets of a ramp only time asks */
        return (self->state == FAULT_SCHEDULED
                   || (self->state == FAULT_INJECTING && !demand->request))
               && active_fault_due_at(self) <= record_now();
    case FAULT_RECOVER:
    case FAULT_END:
        return active_fault_may_move(self->state, FAULT_RECOVERING);
    case FAULT_CHECK:
        return self->state == FAULT_ACTIVE || self->state == FAULT_UNDONE
               || self->state == FAULT_DEAD;
    case FAULT_UNDO:
        return true;
    }
    return false;
}

void active_fault_go_on(active_fault_t *self)
{
    while (self->demand_count && !self->job && !self->call && !self->is_gone
           && injector_is_free(self->owner, self)) {
        if (!is_work(self, &self->demands[0])) {
            answer(self, NULL);
        } else if (!self->server) {
            ask_for_env(self);
        } else {
            self->order = self->demands[0].order;
            start_work(self);
        }
    }
}

void active_fault_demand(active_fault_t *self, fault_order_t order, bus_request_t **request_p)
{
    if (self->demand_count == ARRAY_SIZE(self->demands)) {
        if (request_p)
            bus_refuse(request_p, 1000, "too much is asked of this fault at once");
        return;
    }
    self->demands[self->demand_count++] =
        (fault_demand_t){.order = order, .request = request_p ? TAKE(*request_p) : NULL};
    active_fault_go_on(self);
}

void active_fault_resume(active_fault_t *self)
{
    while (self->state + 1 < FAULT_STATES
           && strcmp(active_fault_state_name(self->state), self->record->state) != 0)
        self->state++;
    if (self->state == FAULT_INJECTING) {
        self->state = FAULT_SCHEDULED;
        active_fault_demand(self, FAULT_UNDO, NULL);
    } else if (self->state == FAULT_RECOVERING) {
        self->state = FAULT_ACTIVE;
        active_fault_demand(self, FAULT_RECOVER, NULL);
    } else {
        ask_for_env(self);
    }
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void on_env_state(void *arg, const bus_event_t *event)
{
    active_fault_t *self = arg;
    const env_info_t *info = event->message;
    bool is_ours = event->type == &env_info_type && strcmp(info->env, self->record->env) == 0;
    if (!is_ours || (strcmp(info->state, "gone") != 0 && strcmp(info->state, "failed") != 0))
        return;
    self->is_gone = true;
    if (!self->job)
        drop(self); /* else when the work, which must fail now, has ended */
}

active_fault_t *active_fault_new(injector_t *owner, ev_t *ev, bus_t *bus, record_t *record)
{
    active_fault_t *self = xcalloc(1, sizeof(*self));
    self->owner = owner;
    self->ev = ev;
    self->bus = bus;
    self->kind = fault_kind_find(record->fault);
    self->spec = fault_spec_find(record->fault, NULL);
    self->record = record;
    clear_work(self);
    AUTO_FREE char *topic = xasprintf("env/%s/state", record->env);
    self->subscription = bus_subscribe(bus, topic, on_env_state, self);
    return self;
}

void active_fault_destroy(active_fault_t **self_p)
{
    active_fault_t *self = TAKE(*self_p);
    if (!self)
        return;
    err_t err;
    err_set(&err, ERR_UNAVAILABLE, "the injector goes away");
    job_join(&self->job);
    bus_cancel(self->bus, self->call);
    bus_unsubscribe(self->bus, self->subscription);
    ev_cancel(self->ev, self->drop_timer);
    fail_all(self, &err);
    active_fault_unfollow(self);
    kube_destroy(&self->kube);
    clear_work(self);
    record_destroy(&self->record);
    free(self->server);
    free(self->token);
    free(self->ca);
    free(self);
}
