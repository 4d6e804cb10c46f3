#include "cli/ask.h"

enum { PATIENCE_MS = 60000, ASK_AGAIN_MS = 250 };

static void on_pause_over(void *arg)
{
    ev_stop(arg);
}

/* Whether the orchestrator may be there again soon, and has not done it already. */
static bool may_pass(const bus_call_t *call, int rc)
{
    return rc == -ERR_UNAVAILABLE || rc == -ERR_OVERLOADED
           || (rc == -ERR_TIMEOUT && call->type->is_idempotent);
}

int ask_orchestrator(lab_t *lab, bus_t *bus, bus_call_t call, const codec_type_t *expected,
    void **reply_p, err_t *err)
{
    call.target = "orchestrator";
    for (int64_t until = ev_now(lab_ev(lab)) + PATIENCE_MS;;) {
        int rc = lab_call_by(lab, bus, &call, expected, reply_p, err);
        bool is_final = !may_pass(&call, rc) || ev_now(lab_ev(lab)) >= until;
        if (is_final)
            return rc;
        int timer = ev_after(lab_ev(lab), ASK_AGAIN_MS, on_pause_over, lab_ev(lab));
        rc = lab_run(lab, err);
        ev_cancel(lab_ev(lab), timer);
        if (rc < 0)
            return rc;
    }
}
