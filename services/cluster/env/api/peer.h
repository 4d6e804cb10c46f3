/* peer - who a client is by its certificate. */
#ifndef CLUSTER_ENV_API_PEER_H
#define CLUSTER_ENV_API_PEER_H

#include "services/cluster/env/auth/user.h"

#include <gnutls/gnutls.h>

typedef enum { PEER_NONE, PEER_KNOWN, PEER_BAD } peer_t;

/* Reads the common name as the user's and the organizations as groups (*user_p is for user_done()),
 * if the session's authority has signed the certificate for clients. */
peer_t peer_read(gnutls_session_t session, user_t *user_p);

#endif
