/* stack - Hotel Reservation as plain processes on the loopback interface of a network namespace of
 * the test's own: six Redis, three memcached, jaeger, eight services. All die with the test. */
#ifndef TESTS_HOTEL_STACK_H
#define TESTS_HOTEL_STACK_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct app_stack app_stack_t;

/* Starts everything and waits until all of it listens. */
app_stack_t *stack_new(void);
void stack_destroy(app_stack_t **self_p);

/* The address of "geo", "mongodb-geo", "jaeger" (its query API) and so on. */
const char *stack_address(const app_stack_t *self, const char *name);

/* The child's output so far, in new memory. */
char *stack_log(const app_stack_t *self, const char *name);

/* Sends a signal and waits for the end; returns the exit status, or -signal. */
int stack_end(app_stack_t *self, const char *name, int signal);

/* Starts one more program of a bundle under another name, on a port of its own, with one more
 * setting "NAME=value", or NULL. Does not wait for it. */
void stack_start(app_stack_t *self, const char *name, const char *bundle, const char *program,
    const char *setting);

/* Waits for a program that ends by itself. */
int stack_wait(app_stack_t *self, const char *name);

/* A request to http://<address of name><path>; returns the status, 0 for none, and the body in new
 * memory. Headers may be one line or NULL; method NULL is GET. */
int stack_http(const app_stack_t *self, const char *name, const char *method, const char *path,
    const char *header, char **body_p);

/* The same, with the body as JSON. */
json_t *stack_json(const app_stack_t *self, const char *name, const char *path, int *status_p);

/* The value of a sample of /metrics, such as `http_requests_total{route="/hotels",code="200"}`; 0
 * if it is not there. */
double stack_metric(const app_stack_t *self, const char *name, const char *sample);

#endif
