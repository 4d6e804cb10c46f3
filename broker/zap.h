/* zap - decides at the handshake whose CURVE key may connect to which socket (ZeroMQ RFC 27).
 *
 * The socket's ZAP domain says which: events may be published by role service only; the local
 * agents' sockets, which only the owner of the run directory can reach, take every key, as that of
 * an agent; the rest is for every authorized key. The User-Id that ZeroMQ then attaches to each
 * message is "ROLE:NAME". */
#ifndef BROKER_ZAP_H
#define BROKER_ZAP_H

#include "base/err.h"
#include "base/ev.h"

#define ZAP_DOMAIN_REQUESTS "requests"
#define ZAP_DOMAIN_PUBLISH  "publish"
#define ZAP_DOMAIN_EVENTS   "events"
#define ZAP_DOMAIN_AGENTS   "agents"

typedef struct zap zap_t;

/* Must be there before the first socket that needs it is bound; one in a process. keys_folder is
 * that of the authorized; NULL: there are none. */
zap_t *zap_new(ev_t *ev, const char *keys_folder, err_t *err);
void zap_destroy(zap_t **self_p);

/* Handshakes refused. */
const uint64_t *zap_refused(const zap_t *self);

#endif
