/* ask - questions to the orchestrator that outlast restarts of the broker and of itself, since each
 * of them may be asked again. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "cli/lab.h"

/* Asks by a bus, the operator's or an agent's, until there is an answer or patience is over; the
 * call's target is filled in. As bus_call() otherwise; fails with ERR_STATE when interrupted. */
int ask_orchestrator(lab_t *lab, bus_t *bus, bus_call_t call, const codec_type_t *expected,
    void **reply_p, err_t *err);

#endif
