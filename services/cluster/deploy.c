#include "services/cluster/deploy.h"

#include "base/auto.h"
#include "base/mem.h"
#include "kube/kube.h"
#include "services/cluster/catalogue.h"

#include <czmq.h>

static const char *namespace_of(const json_t *object)
{
    return json_string_value(json_object_get(json_object_get(object, "metadata"), "namespace"));
}

/* What is there already stays as it is. */
static int create(kube_t *kube, const json_t *object, err_t *err)
{
    err_t cause = {0};
    int rc = kube_call(kube, kube_create(object), NULL, &cause);
    return rc == 0 || rc == -ERR_EXISTS ? 0 : err_set(err, cause.code, "%s", cause.text);
}

/* Manifests without a namespace are meant for the application's. */
static int apply_all(kube_t *kube, const json_t *objects, const char *namespace, err_t *err)
{
    size_t i;
    json_t *object;
    json_array_foreach(objects, i, object)
    {
        const char *kind = json_string_value(json_object_get(object, "kind"));
        if (strcmp(kind, "Namespace") != 0 && !namespace_of(object))
            json_object_set_new(
                json_object_get(object, "metadata"), "namespace", json_string(namespace));
        if (create(kube, object, err) < 0)
            return err_wrap(err, "%s", kind);
    }
    return 0;
}

static bool has_namespace(const json_t *objects)
{
    return strcmp(
               json_string_value(json_object_get(json_array_get(objects, 0), "kind")), "Namespace")
           == 0;
}

static int create_namespace(kube_t *kube, const char *name, err_t *err)
{
    json_auto_t *object = json_pack(
        "{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind", "Namespace", "metadata", "name", name);
    return create(kube, object, err);
}

static int deploy(deploy_t *self, kube_t *kube)
{
    json_auto_t *objects = NULL;
    int64_t begun = zclock_mono();
    int rc = catalogue_manifests(self->data_dir, self->app, &objects, &self->namespace, &self->err);
    if (rc == 0 && !has_namespace(objects))
        rc = create_namespace(kube, self->namespace, &self->err);
    if (rc == 0)
        rc = apply_all(kube, objects, self->namespace, &self->err);
    if (rc < 0)
        return rc;
    int64_t applied = zclock_mono();
    rc = kube_wait_call(kube, KUBE("Deployment", self->namespace, NULL), NULL,
        kube_deployments_are_ready, NULL, self->timeout_ms, &self->err);
    self->phases = json_pack("{s:I, s:I}", "apply", (json_int_t)(applied - begun), "ready",
        (json_int_t)(zclock_mono() - applied));
    return rc;
}

void deploy_run(void *arg)
{
    deploy_t *self = arg;
    kube_config_t config = {.server = self->server, .token = self->token, .ca_pem = self->ca};
    AUTO(kube_destroy) kube_t *kube = kube_new(NULL, &config, &self->err);
    self->rc = kube ? deploy(self, kube) : -ERR_IO;
    if (self->rc < 0)
        err_wrap(&self->err, "application '%s'", self->app);
}
