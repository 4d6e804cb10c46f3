/* result - what is known of a session when it has ended, as JSON and as a file. */
#ifndef ORCHESTRATOR_RESULT_H
#define ORCHESTRATOR_RESULT_H

#include "services/orchestrator/session.h"

/* Makes session->result anew and writes it to the results folder, whole or not at all. If it
 * cannot be written, that is logged and said in the session's reason, and the result stays in the
 * store alone. */
void result_write(session_t *self);

#endif
