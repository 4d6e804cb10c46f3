/* server - an API server with store and controllers, on a loopback port and a thread of its own.
 *
 * Its kubelet is make-believe: a pod that has a node runs and is ready at once, and goes at once.
 */
#ifndef TESTS_INTEGRATION_ENV_SERVER_H
#define TESTS_INTEGRATION_ENV_SERVER_H

typedef struct server server_t;

/* Starts with namespace default and one node. "operator-token" is that of a master, "admin-token"
 * of a cluster-admin by binding, "jane-token" of a user without roles. folder gets the
 * certificates; NULL: plain HTTP. */
server_t *server_new(const char *folder);
/* "https://127.0.0.1:PORT" */
const char *server_url(const server_t *self);
/* The authority's certificate, "" without TLS. */
const char *server_ca(const server_t *self);
void server_destroy(server_t **self_p);

#endif
