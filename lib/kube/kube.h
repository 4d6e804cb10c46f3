/* kube - a Kubernetes client.
 *
 * A request is made by one of the functions below and taken by one of three: kube_send() (answer by
 * callback), kube_call() (answer by return) or kube_stream() (answer in pieces):
 *
 *     kube_send(kube, kube_get(KUBE("Deployment", "shop", "geo")), on_deployment, self);
 *
 *     json_auto_t *pods = NULL;
 *     rc = kube_call(kube, kube_list(KUBE("Pod", "shop", NULL), "app=geo", NULL), &pods, err);
 *
 * Mistakes made while building a request (an unknown kind) come out as its failure. A server's
 * refusal becomes an err_t with the message of its Status object:
 *     ERR_INVALID 400 415 422   ERR_FORBIDDEN 401 403   ERR_NOT_FOUND 404   ERR_EXISTS 409
 *     (AlreadyExists)   ERR_STATE 409 (Conflict) 410   ERR_OVERLOADED 429   ERR_UNAVAILABLE 502
 *     503, or nobody there   ERR_TIMEOUT 504, or no answer in time   ERR_IO all else */
#ifndef KUBE_KUBE_H
#define KUBE_KUBE_H

#include "base/err.h"
#include "base/ev.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kube kube_t;
typedef struct kube_request kube_request_t;

typedef struct kube_config {
    const char *server; /* "https://127.0.0.1:6443" */
    const char *token;  /* bearer token; may be NULL */
    const char *ca_pem; /* the server's authority; may be NULL */
} kube_config_t;

/* On the caller's loop; with ev NULL on a private one, for synchronous use in jobs and programs.
 * Strings are copied. Connects to nothing yet. */
kube_t *kube_new(ev_t *ev, const kube_config_t *config, err_t *err);

/* Forgets what is under way, without callbacks. Not from within a callback. */
void kube_destroy(kube_t **self_p);

/* ---- requests ----------------------------------------------------------------------------- */

/* Which object or collection. kind is "Deployment"; subresource NULL, "status", "scale" … */
typedef struct kube_ref {
    const char *kind;
    const char *namespace; /* NULL: all, or a kind that has none */
    const char *name;
    const char *subresource;
} kube_ref_t;

#define KUBE(kind_, namespace_, name_) ((kube_ref_t){(kind_), (namespace_), (name_), NULL})
#define KUBE_SUB(kind_, namespace_, name_, subresource_)                                           \
    ((kube_ref_t){(kind_), (namespace_), (name_), (subresource_)})

typedef enum { KUBE_MERGE, KUBE_STRATEGIC, KUBE_JSON_PATCH } kube_patch_type_t;

typedef struct kube_log {
    const char *namespace;
    const char *pod;
    const char *container; /* NULL: the only one */
    bool is_following;
    bool is_previous;
    bool has_timestamps;
    int tail_lines;    /* 0: all */
    int since_seconds; /* 0: all */
} kube_log_t;

kube_request_t *kube_get(kube_ref_t ref);

/* Selectors may be NULL. */
kube_request_t *kube_list(kube_ref_t ref, const char *labels, const char *fields);

/* The object's own kind and namespace (or "default") say where to. Objects are borrowed for the
 * call. */
kube_request_t *kube_create(const json_t *object);

/* Replaces; conflicts if metadata.resourceVersion is given and old. */
kube_request_t *kube_put(const json_t *object);
kube_request_t *kube_put_status(const json_t *object);
kube_request_t *kube_patch(kube_ref_t ref, kube_patch_type_t type, const json_t *patch);

/* Creates the object, or, if it exists, merges it into what is there (strategic merge). */
kube_request_t *kube_apply(const json_t *object);

/* grace_seconds -1: the object's own. */
kube_request_t *kube_delete(kube_ref_t ref, int grace_seconds);

/* All of a kind, by selectors. */
kube_request_t *kube_delete_all(kube_ref_t ref, const char *labels);

/* Answers with text. */
kube_request_t *kube_read_log(const kube_log_t *log);

/* What a pod, a service or a node answers, by the API server: text. path starts with '/'. */
kube_request_t *kube_pod_proxy(const char *namespace, const char *pod, int port, const char *path);
kube_request_t *kube_service_proxy(
    const char *namespace, const char *service, const char *port, const char *path);
kube_request_t *kube_node_proxy(const char *node, const char *path);

/* Anything else; the answer has an object if it was JSON. method NULL: GET; body may be NULL,
 * content_type NULL: application/json. */
kube_request_t *kube_raw(
    const char *method, const char *path, const char *content_type, const char *body);

/* Changes the deadline, 10 s otherwise; returns request. */
kube_request_t *kube_within(kube_request_t *request, int64_t timeout_ms);

/* ---- doing them --------------------------------------------------------------------------- */

typedef struct kube_answer {
    const err_t *err; /* NULL if it went well */
    int status;       /* HTTP's; 0 if nobody answered */
    json_t *object;   /* borrowed; NULL for requests that answer with text */
    const char *text; /* the body as it came; never NULL */
    size_t size;      /* of text */
} kube_answer_t;

typedef void(kube_done_fn)(void *arg, const kube_answer_t *answer);

/* Takes the request; calls on_done exactly once from the loop, unless cancelled; on_done may be
 * NULL. Returns an id, never 0. */
int kube_send(kube_t *self, kube_request_t *request, kube_done_fn *on_done, void *arg);

typedef void(kube_data_fn)(void *arg, const char *bytes, size_t size);

/* As kube_send(), but the body goes to on_data as it comes, without a deadline. */
int kube_stream(
    kube_t *self, kube_request_t *request, kube_data_fn *on_data, kube_done_fn *on_done, void *arg);

typedef void(kube_line_fn)(void *arg, const char *line);

/* Follows a container's log line by line (without the line's end) until it ends. */
int kube_follow(
    kube_t *self, const kube_log_t *log, kube_line_fn *on_line, kube_done_fn *on_done, void *arg);

/* Forgets one of the above, also from within a callback; ids of ended ones, and 0, are ignored. */
void kube_cancel(kube_t *self, int id);

/* Takes the request and runs the loop until it is done; never from a handler. object_p may be NULL;
 * *object_p is a new reference. Returns 0 or the negative code. */
int kube_call(kube_t *self, kube_request_t *request, json_t **object_p, err_t *err);

/* The same for requests that answer with text; *text_p is for free(). */
int kube_call_text(kube_t *self, kube_request_t *request, char **text_p, err_t *err);

/* ---- watching ----------------------------------------------------------------------------- */

typedef enum {
    KUBE_ADDED,
    KUBE_MODIFIED,
    KUBE_DELETED,
    KUBE_SYNCED, /* all that was there has been told; object is NULL. Again after each new list */
    KUBE_LOST,   /* the server cannot be reached now; it is tried again. object is NULL */
} kube_change_t;

typedef void(kube_watch_fn)(void *arg, kube_change_t change, json_t *object);
typedef struct kube_watch kube_watch_t;

/* Lists and then watches a kind, or one object; reconnects for ever, each object's changes in
 * order. Selectors may be NULL. */
kube_watch_t *kube_watch(kube_t *self, kube_ref_t ref, const char *labels, const char *fields,
    kube_watch_fn *on_change, void *arg);

/* Also from within its callback. */
void kube_watch_end(kube_watch_t **watch_p);

/* What is there now, by "namespace/name"; borrowed. */
const json_t *kube_watch_objects(const kube_watch_t *watch);

/* ---- waiting ------------------------------------------------------------------------------ */

/* Whether the objects (as kube_watch_objects() gives them) are as wanted. If not, why may be filled
 * with a sentence for the timeout's error. */
typedef bool(kube_is_met_fn)(void *arg, const json_t *objects, err_t *why);

typedef void(kube_wait_fn)(void *arg, const err_t *err);
typedef struct kube_wait kube_wait_t;

/* Calls on_done(NULL) once is_met holds for the objects of ref, or with ERR_TIMEOUT. The wait is
 * over then; kube_wait_end() ends it sooner (or frees it after). */
kube_wait_t *kube_wait(kube_t *self, kube_ref_t ref, const char *labels, kube_is_met_fn *is_met,
    void *met_arg, int64_t timeout_ms, kube_wait_fn *on_done, void *arg);
void kube_wait_end(kube_wait_t **wait_p);

/* The same by return. */
int kube_wait_call(kube_t *self, kube_ref_t ref, const char *labels, kube_is_met_fn *is_met,
    void *met_arg, int64_t timeout_ms, err_t *err);

/* Conditions to wait for. arg is ignored. */
bool kube_deployments_are_ready(void *arg, const json_t *deployments, err_t *why);
bool kube_pods_are_ready(void *arg, const json_t *pods, err_t *why);
bool kube_are_gone(void *arg, const json_t *objects, err_t *why);

/* Whether a deployment's rollout is complete and all its replicas available. */
bool kube_deployment_is_ready(const json_t *deployment);
bool kube_pod_is_ready(const json_t *pod);

/* ---- kinds -------------------------------------------------------------------------------- */

/* The path of a ref, such as "/apis/apps/v1/namespaces/shop/deployments/geo", for free(); NULL for
 * a kind this client does not know. */
char *kube_path(kube_ref_t ref, err_t *err);

#endif
