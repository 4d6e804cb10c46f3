/* active_fault - one fault of an environment, from the request to recovery. Private to the
 * injector.
 *
 *     scheduled -> injecting -> active <-> repaired, dead -> recovering -> recovered
 *         ^            \-> failed                                  |
 *         \--------------------- the next round -------------------/
 *
 * What is asked of it waits in a queue; one thing is done at a time, on a thread of its own, and
 * nothing while another fault of the same environment is at work. */
#ifndef INJECTOR_ACTIVE_FAULT_H
#define INJECTOR_ACTIVE_FAULT_H

#include "base/job.h"
#include "bus/bus.h"
#include "kube/kube.h"
#include "proto/messages.h"
#include "services/injector/fault.h"

typedef enum {
    FAULT_SCHEDULED,
    FAULT_INJECTING,
    FAULT_ACTIVE,
    FAULT_RECOVERING,
    FAULT_RECOVERED,
    FAULT_UNDONE, /* "repaired" */
    FAULT_DEAD,
    FAULT_FAILED,
    FAULT_STATES
} fault_state_t;

/* What can be asked of it. FAULT_END is recovery at the end of a round; FAULT_UNDO is that of what
 * a killed injector left half done. */
typedef enum { FAULT_INJECT, FAULT_RECOVER, FAULT_CHECK, FAULT_END, FAULT_UNDO } fault_order_t;

typedef struct injector injector_t;

typedef struct fault_demand {
    fault_order_t order;
    bus_request_t *request; /* NULL: nobody waits for an answer */
} fault_demand_t;

typedef struct active_fault {
    injector_t *owner; /* borrowed */
    ev_t *ev;          /* borrowed */
    bus_t *bus;        /* borrowed */
    const fault_kind_t *kind;
    const fault_spec_t *spec;
    record_t *record;
    fault_state_t state;
    bool is_gone; /* its environment is; nothing more can be done */

    fault_demand_t demands[16];
    size_t demand_count;
    fault_order_t order;    /* the one under way */
    bus_request_t *ramping; /* waits until the last target is struck */
    job_t *job;             /* NULL: none */
    int call;               /* env.get under way; 0: none */
    fault_work_t work;
    size_t struck_count; /* targets struck in this round */

    char *server, *token, *ca; /* of the environment's API; NULL: not yet known */
    kube_t *kube;              /* on the loop, for the watch */
    kube_watch_t *watch;
    int subscription; /* to the environment's state */
    int drop_timer, round_timer, check_timer;
} active_fault_t;

/* record is taken. */
active_fault_t *active_fault_new(injector_t *owner, ev_t *ev, bus_t *bus, record_t *record);
void active_fault_destroy(active_fault_t **self_p);

/* Takes up a fault whose record says in which state its injector died. */
void active_fault_resume(active_fault_t *self);

/* Does it when its turn comes. The request (taken; may be NULL) is answered with fault.status. */
void active_fault_demand(active_fault_t *self, fault_order_t order, bus_request_t **request_p);

/* Goes on with what waits, now that others have ended their work. */
void active_fault_go_on(active_fault_t *self);

/* Whether the table of states allows the move. */
bool active_fault_may_move(fault_state_t from, fault_state_t to);

/* As on the wire. */
const char *active_fault_state_name(fault_state_t state);

/* As in fault.listing; a new reference. */
json_t *active_fault_to_json(const active_fault_t *self);

/* ---- told to the owner -------------------------------------------------------------------- */

/* Nobody needs it any more: its environment is gone. The owner destroys it. */
void injector_on_fault_dropped(injector_t *self, active_fault_t *fault);

/* Whether no other fault of its environment is at work. */
bool injector_is_free(injector_t *self, const active_fault_t *fault);

/* It has ended its work. */
void injector_on_fault_idle(injector_t *self, const active_fault_t *fault);

/* Whether what it made is still there, below what a later fault in force made of it. */
bool injector_is_covered(injector_t *self, const active_fault_t *fault);

/* It has been undone: what came after it inherits. */
void injector_on_fault_recovered(injector_t *self, const active_fault_t *fault);

/* ---- between the files of active_fault ---------------------------------------------------- */

/* The work of self->order, for a thread. */
void active_fault_do_work(void *fault);

/* When the state is to change by itself, Unix ms; 0: never. */
int64_t active_fault_due_at(const active_fault_t *self);

/* Watches objects and sets timers as the state asks for. */
void active_fault_follow(active_fault_t *self);
void active_fault_unfollow(active_fault_t *self);

#endif
