/* StatefulSet. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/kinds/workload.h"

#include "base/auto.h"
#include "base/mem.h"

enum { REVISION_HISTORY = 10 };

/* ---- defaults ----------------------------------------------------------------------------- */

static void fill_claims(json_t *templates)
{
    size_t i;
    json_t *claim;
    json_array_foreach(templates, i, claim)
    {
        json_t *spec = default_object(claim, "spec");
        json_t *status = default_object(claim, "status");
        default_string(claim, "apiVersion", "v1");
        default_string(claim, "kind", "PersistentVolumeClaim");
        if (spec)
            default_string(spec, "volumeMode", "Filesystem");
        if (status)
            default_string(status, "phase", "Pending");
    }
}

static void fill(store_t *store, json_t *object, const json_t *old)
{
    (void)store;
    (void)old;
    workload_fill(object);
    json_t *spec = default_object(object, "spec");
    json_t *strategy = spec ? default_object(spec, "updateStrategy") : NULL;
    json_t *retention = spec ? default_object(spec, "persistentVolumeClaimRetentionPolicy") : NULL;
    if (!strategy || !retention)
        return;
    default_string(spec, "podManagementPolicy", "OrderedReady");
    default_integer(spec, "revisionHistoryLimit", REVISION_HISTORY);
    default_string(retention, "whenDeleted", "Retain");
    default_string(retention, "whenScaled", "Retain");
    default_string(strategy, "type", "RollingUpdate");
    if (strcmp(object_string(strategy, "type"), "RollingUpdate") == 0) {
        json_t *rolling = default_object(strategy, "rollingUpdate");
        if (rolling)
            default_integer(rolling, "partition", 0);
    }
    fill_claims(json_object_get(spec, "volumeClaimTemplates"));
}

/* ---- validation --------------------------------------------------------------------------- */

/* The spec without what may be changed of a set that exists. */
static json_t *fixed_part(const json_t *object)
{
    static const char *const free_fields[] = {"replicas", "ordinals", "template", "updateStrategy",
        "persistentVolumeClaimRetentionPolicy", "minReadySeconds"};
    json_t *spec = json_copy(json_object_get(object, "spec"));
    for (size_t i = 0; i < ARRAY_SIZE(free_fields); i++)
        json_object_del(spec, free_fields[i]);
    return spec;
}

static void check_update(causes_t *causes, const json_t *object, const json_t *old)
{
    json_auto_t *fixed = fixed_part(object);
    json_auto_t *old_fixed = fixed_part(old);
    if (!json_equal(fixed, old_fixed))
        causes_forbidden(causes, "spec",
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', "
            "'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and "
            "'minReadySeconds' are forbidden");
}

static void check_policies(causes_t *causes, const json_t *spec)
{
    static const char *const managements[] = {"OrderedReady", "Parallel", NULL};
    static const char *const types[] = {"OnDelete", "RollingUpdate", NULL};
    const char *management = object_string(spec, "podManagementPolicy");
    const char *type = object_string(spec, "updateStrategy.type");
    if (strcmp(management, managements[0]) != 0 && strcmp(management, managements[1]) != 0)
        causes_unsupported(causes, "spec.podManagementPolicy",
            json_object_get(spec, "podManagementPolicy"), managements);
    if (strcmp(type, types[0]) != 0 && strcmp(type, types[1]) != 0)
        causes_unsupported(
            causes, "spec.updateStrategy.type", object_at(spec, "updateStrategy.type"), types);
    if (strcmp(type, "OnDelete") == 0 && object_at(spec, "updateStrategy.rollingUpdate"))
        causes_invalid_text(causes, "spec.updateStrategy.rollingUpdate", "\"\"",
            "only allowed for updateStrategy 'RollingUpdate'");
    if (object_integer(spec, "updateStrategy.rollingUpdate.partition", 0) < 0)
        causes_invalid(causes, "spec.updateStrategy.rollingUpdate.partition",
            object_at(spec, "updateStrategy.rollingUpdate.partition"),
            "must be greater than or equal to 0");
}

/* The set with the volumes that its pods will have of the claims, so that they can be mounted. */
static json_t *with_claimed_volumes(const json_t *object)
{
    json_t *copy = object_copy(object, "spec.template.spec");
    json_t *known = object_at(copy, "spec.template.spec.volumes");
    json_t *volumes = known ? json_copy(known) : json_array();
    size_t i;
    json_t *claim;
    json_array_foreach(object_at(object, "spec.volumeClaimTemplates"), i, claim)
        json_array_append_new(
            volumes, json_pack("{s:s, s:{}}", "name", object_name(claim), "emptyDir"));
    object_set(copy, "spec.template.spec.volumes", volumes);
    return copy;
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    json_auto_t *whole = with_claimed_volumes(object);
    check_metadata(causes, object, NAME_SUBDOMAIN);
    if (old)
        check_update(causes, object, old);
    check_workload(causes, whole, NULL); /* a changed selector is told above */
    check_policies(causes, json_object_get(object, "spec"));
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_format(cells, "%lld/%lld", (long long)object_integer(object, "status.readyReplicas", 0),
        (long long)object_integer(object, "spec.replicas", 0));
    cells_age(cells, object, now);
    cells_containers(cells, object_at(object, "spec.template.spec"));
}

static const char *const short_names[] = {"sts", NULL};
static const char *const categories[] = {"all", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Ready"), COLUMN_AGE,
    COLUMN_WIDE("Containers"), COLUMN_WIDE("Images"), {0}};

const kind_t kind_stateful_set = {
    .name = "StatefulSet",
    .group = "apps",
    .version = "v1",
    .plural = "statefulsets",
    .singular = "statefulset",
    .type = "apps/v1.StatefulSet",
    .short_names = short_names,
    .categories = categories,
    .is_namespaced = true,
    .has_status = true,
    .has_scale = true,
    .has_generation = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
