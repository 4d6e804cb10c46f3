#include "services/cluster/env/api/subresources.h"

#include "base/auto.h"

#include <string.h>

static const char status_verbs[] = "get patch update";

static const subresource_t subresources[] = {
    {"CertificateSigningRequest", "approval", "get patch update", "CertificateSigningRequest",
        "certificates.k8s.io"},
    {"Node", "proxy", "create delete get patch update", "NodeProxyOptions", ""},
    {"Pod", "attach", "create get", "PodAttachOptions", ""},
    {"Pod", "ephemeralcontainers", "get patch update", "Pod", ""},
    {"Pod", "eviction", "create", "Eviction", "policy"},
    {"Pod", "exec", "create get", "PodExecOptions", ""},
    {"Pod", "log", "get", "Pod", ""},
    {"Pod", "portforward", "create get", "PodPortForwardOptions", ""},
    {"Pod", "proxy", "create delete get patch update", "PodProxyOptions", ""},
    {"Service", "proxy", "create delete get patch update", "ServiceProxyOptions", ""},
    {"ServiceAccount", "token", "create", "TokenRequest", "authentication.k8s.io"},
};

void subresources_each(const kind_t *kind,
    void (*add)(void *arg, const kind_t *kind, const subresource_t *subresource), void *arg)
{
    static const subresource_t scale = {
        .name = "scale", .verbs = status_verbs, .response_kind = "Scale", .group = "autoscaling"};
    const subresource_t status = {
        .name = "status", .verbs = status_verbs, .response_kind = kind->name, .group = kind->group};
    for (size_t i = 0; i < ARRAY_SIZE(subresources); i++) {
        if (!strcmp(subresources[i].kind, kind->name))
            add(arg, kind, &subresources[i]);
    }
    if (kind->has_scale)
        add(arg, kind, &scale);
    if (kind->has_status)
        add(arg, kind, &status);
}
