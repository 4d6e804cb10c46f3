/* database_requires_tls: the database talks TLS only, and the application does not. */
#include "services/injector/certificate.h"
#include "services/injector/edit.h"
#include "services/injector/redis_args.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

static const char folder[] = "/tls";

static json_t *tls_args(const char *port)
{
    return json_pack("[s, s, s, s, s, s+, s, s+, s, s]", "--port", "0", "--tls-port", port,
        "--tls-cert-file", folder, "/tls.crt", "--tls-key-file", folder, "/tls.key",
        "--tls-auth-clients", "no");
}

static int edit(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    (void)work;
    json_t *args = json_object_get(container, "args");
    size_t i = 0;
    while (i + 1 < json_array_size(args)
           && strcmp(json_string_value(json_array_get(args, i)), "--port") != 0)
        i++;
    if (i + 1 >= json_array_size(args))
        return err_set(err, ERR_NOT_FOUND, "no database of Redis here that is given a port");
    AUTO_FREE char *port = xstrdup(json_string_value(json_array_get(args, i + 1)));
    json_array_remove(args, i + 1);
    json_array_remove(args, i);
    json_auto_t *more = tls_args(port);
    json_array_extend(more, args);
    json_object_set(container, "args", more);
    const char *name =
        json_string_value(json_object_get(json_object_get(workload, "metadata"), "name"));
    json_array_append_new(workload_list(workload_pod_spec(workload), "volumes"),
        json_pack("{s:s, s:{s:s+}}", "name", "tls", "secret", "secretName", name, "-tls"));
    json_array_append_new(workload_list(container, "volumeMounts"),
        json_pack("{s:s, s:s, s:b}", "name", "tls", "mountPath", folder, "readOnly", true));
    return 0;
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    json_t *data = NULL;
    int rc = certificate_make(target, &data, err);
    work->is_aside = true;
    if (rc == 0)
        rc = edit_create(work,
            json_pack("{s:s, s:s, s:s, s:{s:s+, s:s}, s:o}", "apiVersion", "v1", "kind", "Secret",
                "type", "kubernetes.io/tls", "metadata", "name", target, "-tls", "namespace",
                fault_namespace(work), "data", data),
            err);
    work->is_aside = false;
    return rc < 0 ? rc : redis_inject(work, target, edit, err);
}

const fault_kind_t fault_database_requires_tls = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
