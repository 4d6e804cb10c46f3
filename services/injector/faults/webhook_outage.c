/* webhook_outage: every new pod of the namespace must be admitted by a webhook whose service is not
 * there. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

static json_t *webhook(fault_work_t *work)
{
    return json_pack(
        "{s:s, s:{s:{s:s, s:s, s:s}}, s:[{s:[s], s:[s], s:[s], s:[s]}], s:s, s:s, s:[s], "
        "s:i, s:{s:{s:s}}}",
        "name", "pods.policy.example.com", "clientConfig", "service", "name",
        fault_text(work, "service"), "namespace", fault_namespace(work), "path", "/validate",
        "rules", "apiGroups", "", "apiVersions", "v1", "operations", "CREATE", "resources", "pods",
        "failurePolicy", "Fail", "sideEffects", "None", "admissionReviewVersions", "v1",
        "timeoutSeconds", 2, "namespaceSelector", "matchLabels", "kubernetes.io/metadata.name",
        fault_namespace(work));
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    int rc = edit_create(work,
        json_pack("{s:s, s:s, s:{s:s}, s:[o]}", "apiVersion", "admissionregistration.k8s.io/v1",
            "kind", "ValidatingWebhookConfiguration", "metadata", "name",
            fault_text(work, "service"), "webhooks", webhook(work)),
        err);
    return rc < 0 ? rc : workload_restart(work, target, WORKLOAD_STOP, err);
}

const fault_kind_t fault_webhook_outage = {.watched = "ValidatingWebhookConfiguration",
    .inject = inject,
    .recover = edit_recover,
    .alive = edit_alive};
