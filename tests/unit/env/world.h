/* world - an API without sockets over a store, in virtual time. */
#ifndef TESTS_UNIT_ENV_WORLD_H
#define TESTS_UNIT_ENV_WORLD_H

#include "services/cluster/env/api/api_internal.h"

#include "tests/support/test.h"

typedef struct world {
    ev_t *ev;
    store_t *store;
    api_t *api;
    int status; /* of the last answer */
} world_t;

/* cmocka's setup and teardown; a namespace "default" is there. */
int world_setup(void **state);
int world_teardown(void **state);

/* Sends a request and returns the answer's JSON, or NULL if it is none. body may be NULL. */
json_t *ask(world_t *self, const char *method, const char *url, const char *type, const char *body);
/* The same with JSON, forgetting the answer. */
void tell(world_t *self, const char *method, const char *url, const char *body);
/* POSTs an object as JSON with ' for ", to which apiVersion and kind are added. */
json_t *post_object(world_t *self, const char *url, const char *text);
/* The same, expecting that it is created; the answer is forgotten. */
void must_post(world_t *self, const char *url, const char *text);
/* The same, expecting a message and reason of a Status. */
void expect_refusal(world_t *self, const json_t *answer, int status, const char *message);
/* Expects the value at a path of an object to be some JSON. */
void expect_at(const json_t *object, const char *path, const char *json);
/* What a stream has to say now. For free(). */
char *hear(request_t *request);
/* A GET that stays open. */
request_t *listen_to(world_t *self, const char *url, const char *accept);

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

#define DEPLOYMENTS "/apis/apps/v1/namespaces/default/deployments"
#define CONFIG_MAPS "/api/v1/namespaces/default/configmaps"
#define PODS        "/api/v1/namespaces/default/pods"

#endif
