/* active_fault - one fault of an environment, from injection to recovery. Private to the injector.
 *
 *     new -> injecting -> active -> recovering -> recovered
 *                 \-> failed   \-> dead -> recovering
 *
 * What is asked of it waits in a queue; one thing is done at a time, on a thread of its own. */
#ifndef INJECTOR_ACTIVE_FAULT_H
#define INJECTOR_ACTIVE_FAULT_H

#include "base/job.h"
#include "bus/bus.h"
#include "kube/kube.h"
#include "proto/messages.h"
#include "services/injector/fault.h"

typedef enum {
    FAULT_NEW,
    FAULT_INJECTING,
    FAULT_ACTIVE,
    FAULT_RECOVERING,
    FAULT_RECOVERED,
    FAULT_DEAD,
    FAULT_FAILED,
    FAULT_STATES
} fault_state_t;

/* What can be asked of it. FAULT_UNDO is recovery of what a killed injector left half done. */
typedef enum { FAULT_INJECT, FAULT_RECOVER, FAULT_CHECK, FAULT_UNDO } fault_order_t;

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
    record_t *record;
    fault_state_t state;
    bool is_gone; /* its environment is; nothing more can be done */

    fault_demand_t demands[16];
    size_t demand_count;
    fault_order_t order; /* the one under way */
    job_t *job;          /* NULL: none */
    int call;            /* env.get under way; 0: none */
    fault_work_t work;

    char *server, *token, *ca; /* of the environment's API; NULL: not yet known */
    kube_t *kube;              /* on the loop, for the watch */
    kube_watch_t *watch;
    int subscription; /* to the environment's state */
    int drop_timer;
} active_fault_t;

/* record is taken. */
active_fault_t *active_fault_new(
    injector_t *owner, ev_t *ev, bus_t *bus, const fault_kind_t *kind, record_t *record);
void active_fault_destroy(active_fault_t **self_p);

/* Takes up a fault whose record says in which state its injector died. */
void active_fault_resume(active_fault_t *self);

/* Does it when its turn comes. The request (taken; may be NULL) is answered with fault.status. */
void active_fault_demand(active_fault_t *self, fault_order_t order, bus_request_t **request_p);

/* Whether the table of states allows the move. */
bool active_fault_may_move(fault_state_t from, fault_state_t to);

/* Told by a fault that nobody needs any more: its environment is gone. The owner destroys it. */
void injector_on_fault_dropped(injector_t *self, active_fault_t *fault);

#endif
