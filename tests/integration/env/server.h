/* server - an API server with a store alone, on a loopback port and a thread of its own. */
#ifndef TESTS_INTEGRATION_ENV_SERVER_H
#define TESTS_INTEGRATION_ENV_SERVER_H

typedef struct server server_t;

/* Starts with namespace default and one node; token is the only one it takes (NULL: none asked). */
server_t *server_new(const char *token);
int server_port(const server_t *self);
/* Runs on the caller's thread, for a person to try kubectl on. */
void server_run(int port);
void server_destroy(server_t **self_p);

#endif
