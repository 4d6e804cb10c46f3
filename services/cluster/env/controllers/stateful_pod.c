#include "services/cluster/env/controllers/stateful_pod.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/controllers/revisions.h"
#include "services/cluster/env/object.h"

int64_t stateful_ordinal(const json_t *set, const json_t *pod)
{
    enum { DIGITS_MAX = 9 };
    const char *prefix = object_name(set);
    const char *name = object_name(pod);
    size_t length = strlen(prefix);
    if (strncmp(name, prefix, length) != 0 || name[length] != '-')
        return -1;
    const char *digits = name + length + 1;
    size_t count = strspn(digits, "0123456789");
    return count && count <= DIGITS_MAX && !digits[count] ? strtoll(digits, NULL, 10) : -1;
}

static json_t *claim_templates(const json_t *set)
{
    return object_at(set, "spec.volumeClaimTemplates");
}

static char *claim_name(const json_t *set, const json_t *template, int64_t ordinal)
{
    return xasprintf("%s-%s-%lld", object_name(template), object_name(set), (long long)ordinal);
}

/* ---- pods --------------------------------------------------------------------------------- */

/* The template's volumes, with the claims in the place of those of the same name. */
static json_t *volumes_of(const json_t *set, const json_t *spec, int64_t ordinal)
{
    json_t *volumes = json_array();
    size_t i = 0;
    size_t j = 0;
    json_t *template = NULL;
    json_t *volume = NULL;
    json_array_foreach(claim_templates(set), i, template)
    {
        AUTO_FREE char *claim = claim_name(set, template, ordinal);
        json_array_append_new(volumes, json_pack("{s:s, s:{s:s}}", "name", object_name(template),
                                           "persistentVolumeClaim", "claimName", claim));
    }
    json_array_foreach(json_object_get(spec, "volumes"), j, volume)
    {
        bool is_claimed = false;
        json_array_foreach(claim_templates(set), i, template)
        {
            is_claimed =
                is_claimed || strcmp(object_name(template), object_string(volume, "name")) == 0;
        }
        if (!is_claimed)
            json_array_append(volumes, volume);
    }
    return volumes;
}

json_t *stateful_pod(const json_t *set, const json_t *revision, int64_t ordinal)
{
    json_auto_t *template = revision_template(revision);
    json_t *pod = pod_from_template(set, template);
    json_t *metadata = json_object_get(pod, "metadata");
    json_t *labels = object_at(template, "metadata.labels");
    AUTO_FREE char *name = xasprintf("%s-%lld", object_name(set), (long long)ordinal);
    labels = labels ? json_copy(labels) : json_object();
    json_object_set_new(
        labels, "apps.kubernetes.io/pod-index", json_sprintf("%lld", (long long)ordinal));
    json_object_set_new(labels, "controller-revision-hash", json_string(object_name(revision)));
    json_object_set_new(labels, "statefulset.kubernetes.io/pod-name", json_string(name));
    json_object_set_new(metadata, "labels", labels);
    json_object_set_new(metadata, "name", json_string(name));
    json_object_set_new(metadata, "generateName", json_sprintf("%s-", object_name(set)));
    json_t *spec = json_copy(json_object_get(template, "spec"));
    json_object_set_new(spec, "hostname", json_string(name));
    json_object_set_new(spec, "subdomain", json_string(object_string(set, "spec.serviceName")));
    if (json_array_size(claim_templates(set)))
        json_object_set_new(spec, "volumes", volumes_of(set, spec, ordinal));
    json_object_set_new(pod, "spec", spec);
    return pod;
}

/* ---- claims ------------------------------------------------------------------------------- */

static json_t *new_claim(const json_t *set, const json_t *template, int64_t ordinal)
{
    json_t *known = object_at(template, "metadata.labels");
    json_t *labels = known ? json_copy(known) : json_object();
    json_t *selected = object_at(set, "spec.selector.matchLabels");
    AUTO_FREE char *name = claim_name(set, template, ordinal);
    if (selected)
        json_object_update(labels, selected);
    json_t *metadata = json_pack(
        "{s:s, s:s, s:o}", "name", name, "namespace", object_namespace(set), "labels", labels);
    if (object_at(template, "metadata.annotations"))
        json_object_set(metadata, "annotations", object_at(template, "metadata.annotations"));
    if (strcmp(
            object_string(set, "spec.persistentVolumeClaimRetentionPolicy.whenDeleted"), "Delete")
        == 0)
        json_object_set_new(
            metadata, "ownerReferences", json_pack("[o]", object_owner_reference(set)));
    return json_pack("{s:o, s:O}", "metadata", metadata, "spec", json_object_get(template, "spec"));
}

int stateful_claims(store_t *store, event_source_t source, const json_t *set, const json_t *pod,
    int64_t ordinal, err_t *err)
{
    const kind_t *kind = kind_find("PersistentVolumeClaim");
    size_t i = 0;
    json_t *template = NULL;
    json_array_foreach(claim_templates(set), i, template)
    {
        AUTO_FREE char *name = claim_name(set, template, ordinal);
        if (store_get(store, kind, object_namespace(set), name))
            continue;
        int rc = store_create(store, kind, new_claim(set, template, ordinal), NULL, err);
        if (rc < 0) {
            event_record(store, source, set, NULL, "Warning", "FailedCreate",
                "create Claim %s for Pod %s in StatefulSet %s failed error: %s", name,
                object_name(pod), object_name(set), err->text);
            return rc;
        }
        event_record(store, source, set, NULL, "Normal", "SuccessfulCreate",
            "create Claim %s Pod %s in StatefulSet %s success", name, object_name(pod),
            object_name(set));
    }
    return 0;
}

void stateful_release_claims(store_t *store, const json_t *set, const json_t *pod, int64_t ordinal)
{
    const kind_t *kind = kind_find("PersistentVolumeClaim");
    size_t i = 0;
    json_t *template = NULL;
    if (strcmp(object_string(set, "spec.persistentVolumeClaimRetentionPolicy.whenScaled"), "Delete")
        != 0)
        return;
    json_array_foreach(claim_templates(set), i, template)
    {
        AUTO_FREE char *name = claim_name(set, template, ordinal);
        json_t *claim = store_get(store, kind, object_namespace(set), name);
        if (!claim)
            continue;
        json_t *copy = object_copy(claim, "metadata");
        object_set(copy, "metadata.ownerReferences", json_pack("[o]", object_owner_reference(pod)));
        (void)store_update(store, kind, copy, STORE_ALL, NULL); /* it is there */
    }
}
