/* The signing controller for kubernetes.io/kube-apiserver-client; who asks for another signer waits
 * for one, as in a real cluster without it. */
#include "services/cluster/env/auth/signer.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/base64.h"
#include "base/mem.h"

enum { YEAR_S = 365 * 24 * 3600 };

struct signer {
    store_t *store;
    const authority_t *authority;
    const kind_t *kind;
    store_watch_t *watch;
};

static bool has_condition(const json_t *request, const char *type)
{
    return object_condition(request, type) != NULL;
}

static bool is_due(const json_t *request)
{
    return has_condition(request, "Approved") && !has_condition(request, "Denied")
           && !has_condition(request, "Failed") && !*object_string(request, "status.certificate")
           && !strcmp(
               object_string(request, "spec.signerName"), "kubernetes.io/kube-apiserver-client");
}

static void note_failure(json_t *request, const char *why)
{
    json_t *conditions = json_copy(object_at(request, "status.conditions"));
    json_array_append_new(
        conditions, json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "type", "Failed", "status", "True",
                        "reason", "SignerValidationFailure", "message", why, "lastUpdateTime",
                        object_time_now(), "lastTransitionTime", object_time_now()));
    object_set(request, "status.conditions", conditions);
}

static void sign(signer_t *self, const json_t *object)
{
    err_t err = {0};
    size_t size;
    json_t *request = object_copy(object, "status");
    AUTO_FREE char *text = base64_decode(object_string(request, "spec.request"), &size);
    AUTO_FREE char *pem = authority_sign(
        self->authority, text, object_integer(request, "spec.expirationSeconds", YEAR_S), &err);
    AUTO_FREE char *encoded = pem ? base64_encode(pem, strlen(pem)) : NULL;
    if (encoded)
        object_set(request, "status.certificate", json_string(encoded));
    else
        note_failure(request, err.text);
    /* it is as was just told, or another change comes */
    (void)store_update(self->store, self->kind, request, STORE_STATUS, NULL);
}

static void on_change(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    signer_t *self = arg;
    (void)kind;
    (void)old;
    if (change != STORE_DELETED && is_due(object))
        sign(self, object);
}

signer_t *signer_new(store_t *store, const authority_t *authority)
{
    signer_t *self = xcalloc(1, sizeof(*self));
    self->store = store;
    self->authority = authority;
    self->kind = kind_find("CertificateSigningRequest");
    self->watch = store_watch(store, self->kind, on_change, self);
    return self;
}

void signer_destroy(signer_t **self_p)
{
    signer_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    store_watch_end(&self->watch);
    free(self);
}
