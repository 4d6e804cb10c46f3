/* lab - the broker and services that run together in one run directory, as a command sees them.
 *
 * A command uses the lab that runs already; where it may, it brings a private one up if there is
 * none. A private lab belongs to its supervisor, which takes it down, files and all, as soon as the
 * command ends in whatever way. */
#ifndef CLI_LAB_H
#define CLI_LAB_H

#include "base/ev.h"
#include "bus/bus.h"
#include "proto/messages.h"

typedef struct lab lab_t;

typedef enum {
    LAB_RUNNING, /* there must be one */
    LAB_ANY,     /* a private one if there is none */
    LAB_PRIVATE, /* a private one in any case */
} lab_kind_t;

/* Signals that stop a program make the calls below fail with "interrupted" from now on. */
lab_t *lab_open(lab_kind_t kind, err_t *err);

/* Starts a lab that stays, in the run directory: listening also at an endpoint for others (or
 * NULL), with settings from a file (or NULL). */
lab_t *lab_start(const char *listen, const char *config_path, err_t *err);

/* Takes down the lab that lab_start() began, and waits until it is gone. */
void lab_abandon(lab_t *self);

/* Waits until a private lab is gone. */
void lab_destroy(lab_t **self_p);

bool lab_is_private(const lab_t *self);
const char *lab_run_dir(const lab_t *self);
ev_t *lab_ev(const lab_t *self);
bus_t *lab_bus(const lab_t *self);

/* As bus_call(), but ends at once, with the reason, when a private lab does not come up. */
int lab_call(
    lab_t *self, const bus_call_t *call, const codec_type_t *expected, void **reply_p, err_t *err);

/* The same by another bus than the lab's own. */
int lab_call_by(lab_t *self, bus_t *bus, const bus_call_t *call, const codec_type_t *expected,
    void **reply_p, err_t *err);

/* Runs the loop until it is stopped. 0, or -ERR_STATE after a signal or when the lab broke. */
int lab_run(lab_t *self, err_t *err);

/* Whether a signal asked the command to end. It is forgotten by asking. */
bool lab_take_interrupt(lab_t *self);

/* Whether SIGTERM came, which is not forgotten: a person's Ctrl-C may mean less. */
bool lab_is_ending(const lab_t *self);

/* Waits until every service has registered with the broker. */
int lab_await_services(lab_t *self, err_t *err);

/* Whether a broker takes requests in the run directory. */
bool lab_is_running(const char *run_dir);

#endif
