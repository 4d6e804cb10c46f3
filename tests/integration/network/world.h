/* world - a store in virtual time, and pods that are nothing but real network namespaces, wired to
 * a router of their own, whose sockets the test holds itself. */
#ifndef TESTS_INTEGRATION_NETWORK_WORLD_H
#define TESTS_INTEGRATION_NETWORK_WORLD_H

#include "services/cluster/env/store.h"
#include "tests/support/test.h"

enum { WORLD_PODS = 8, WORLD_SOCKETS = 16 };

typedef enum { CONNECTED, REFUSED, SILENT } outcome_t;

typedef struct world {
    ev_t *ev;
    store_t *store;
    int pods[WORLD_PODS]; /* descriptors of their namespaces; -1: none */
    int listeners[WORLD_SOCKETS];
    size_t listener_count;
    void *subject; /* what the test is about */
} world_t;

/* As cmocka setup and teardown; with the namespaces default and shop (label team=shop). */
int set_up(void **state);
int tear_down(void **state);

/* Lets everything happen that is to happen. */
void settle(world_t *self);

/* Creates an object from JSON with ' for ", and settles. */
void create(world_t *self, const char *kind, const char *text);
void remove_object(world_t *self, const char *kind, const char *namespace, const char *name);

/* Pod number index on node index % 3 (10.244.<node>.<10 + index>), Running, with a label app=name
 * and a port called web, 8080, which it listens on, TCP and UDP. */
void add_pod(world_t *self, int index, const char *namespace, const char *name);
const char *pod_address(int index);

/* A socket in a pod, or with index -1 in the router, that listens. */
int listen_at(world_t *self, int index, int type, const char *address, int port);

/* What becomes of a connection; an answer may take its time, silence is 300 ms. */
outcome_t connect_from(int pod_fd, const char *address, int port, outcome_t expected);

/* An established connection, and the other end of the first that comes. */
int dial(int pod_fd, const char *address, int port);
int accept_one(int listener);

#define assert_outcome(self, index, address, port, expected)                                       \
    assert_int_equal(connect_from((self)->pods[index], address, port, expected), expected)

#endif
