/* kube_internal - what the parts of lib/kube share. */
#ifndef KUBE_KUBE_INTERNAL_H
#define KUBE_KUBE_INTERNAL_H

#include "kube/kube.h"

struct kube_request {
    const char *method; /* static */
    char *path;         /* with query */
    char *content_type;
    char *body;
    bool is_text;            /* the answer is text */
    bool is_raw;             /* the answer may be JSON or not */
    bool is_unending;        /* without a deadline */
    int64_t timeout_ms;      /* 0: the usual */
    kube_request_t *instead; /* to try when the object exists already; NULL: none */
    err_t err;               /* why it cannot be sent */
};

/* The loop it is on. */
ev_t *kube_ev(kube_t *self);

void kube_request_destroy(kube_request_t **self_p);

/* "?labelSelector=…&fieldSelector=…" or "", for free(). name may be NULL. */
char *kube_selectors(const char *name, const char *labels, const char *fields);

#endif
