/* Job. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/job.h"
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/kinds/workload.h"

#include "base/auto.h"
#include "base/mem.h"

enum { BACKOFF_LIMIT = 6 };

/* ---- defaults ----------------------------------------------------------------------------- */

void job_fill_spec(json_t *spec)
{
    bool is_queue = json_is_integer(json_object_get(spec, "parallelism"));
    if (!is_queue)
        default_integer(spec, "completions", 1);
    default_integer(spec, "parallelism", 1);
    default_integer(spec, "backoffLimit", BACKOFF_LIMIT);
    default_string(spec, "completionMode", "NonIndexed");
    default_string(spec, "podReplacementPolicy",
        json_object_get(spec, "podFailurePolicy") ? "Failed" : "TerminatingOrFailed");
    if (!json_object_get(spec, "suspend"))
        json_object_set_new(spec, "suspend", json_false());
}

/* The labels by which a Job knows its pods, old names and new. */
static void fill_selector(json_t *object)
{
    const char *uid = object_uid(object);
    const char *const labels[][2] = {
        {"batch.kubernetes.io/controller-uid", uid},
        {"batch.kubernetes.io/job-name", object_name(object)},
        {"controller-uid", uid},
        {"job-name", object_name(object)},
    };
    json_t *metadata = object_at(object, "spec.template.metadata");
    json_t *map = metadata ? default_object(metadata, "labels") : NULL;
    for (size_t i = 0; map && i < ARRAY_SIZE(labels); i++)
        default_string(map, labels[i][0], labels[i][1]);
    object_set(object, "spec.selector", json_pack("{s:{s:s}}", "matchLabels", labels[0][0], uid));
}

/* A Job without labels has those of its pods. */
static void fill_labels(json_t *object)
{
    json_t *labels = object_at(object, "spec.template.metadata.labels");
    if (json_object_size(labels) && !json_object_size(object_at(object, "metadata.labels")))
        json_object_set_new(object_at(object, "metadata"), "labels", json_deep_copy(labels));
}

static void fill(store_t *store, json_t *object, const json_t *old)
{
    json_t *spec = workload_fill_template(object);
    (void)store;
    if (!spec)
        return;
    job_fill_spec(spec);
    if (!old && !object_is_true(spec, "manualSelector"))
        fill_selector(object);
    fill_labels(object);
}

/* ---- validation --------------------------------------------------------------------------- */

static void check_counts(causes_t *causes, const char *prefix, const json_t *spec)
{
    static const char *const counts[] = {"parallelism", "completions", "activeDeadlineSeconds",
        "backoffLimit", "ttlSecondsAfterFinished"};
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        AUTO_FREE char *field = xasprintf("%s.%s", prefix, counts[i]);
        if (object_integer(spec, counts[i], 0) < 0)
            causes_invalid(causes, field, json_object_get(spec, counts[i]),
                "must be greater than or equal to 0");
    }
}

static void check_mode(causes_t *causes, const char *prefix, const json_t *spec)
{
    static const char *const modes[] = {"NonIndexed", "Indexed", NULL};
    const char *mode = object_string(spec, "completionMode");
    AUTO_FREE char *field = xasprintf("%s.completionMode", prefix);
    AUTO_FREE char *completions = xasprintf("%s.completions", prefix);
    if (strcmp(mode, modes[0]) != 0 && strcmp(mode, modes[1]) != 0)
        causes_unsupported(causes, field, json_object_get(spec, "completionMode"), modes);
    if (strcmp(mode, "Indexed") == 0 && !json_object_get(spec, "completions"))
        causes_required(causes, completions, "when completion mode is Indexed");
}

/* What no controller here acts on is refused rather than forgotten. */
static void check_unserved(causes_t *causes, const char *prefix, const json_t *spec)
{
    static const char *const unserved[] = {
        "backoffLimitPerIndex", "maxFailedIndexes", "successPolicy", "managedBy"};
    for (size_t i = 0; i < ARRAY_SIZE(unserved); i++) {
        AUTO_FREE char *field = xasprintf("%s.%s", prefix, unserved[i]);
        if (json_object_get(spec, unserved[i]))
            causes_forbidden(causes, field, "not served by this cluster");
    }
}

void job_check_spec(causes_t *causes, const char *prefix, const json_t *spec)
{
    AUTO_FREE char *template = xasprintf("%s.template.spec", prefix);
    AUTO_FREE char *policy = xasprintf("%s.restartPolicy", template);
    check_counts(causes, prefix, spec);
    check_unserved(causes, prefix, spec);
    check_mode(causes, prefix, spec);
    check_pod_spec(causes, template, object_at(spec, "template.spec"), false);
    if (strcmp(object_string(spec, "template.spec.restartPolicy"), "Always") == 0)
        causes_required(causes, policy, "valid values: \"OnFailure\", \"Never\"");
}

/* Whether what the controller has begun with would change under it. */
static void check_fixed(causes_t *causes, const json_t *object, const json_t *old)
{
    static const char *const fixed[] = {"spec.completionMode", "spec.completions", "spec.selector",
        "spec.template", "spec.podFailurePolicy", "spec.backoffLimitPerIndex"};
    for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
        json_t *value = object_at(object, fixed[i]);
        if (json_equal(value, object_at(old, fixed[i])) || (!value && !object_at(old, fixed[i])))
            continue;
        AUTO_FREE char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        causes_invalid_text(causes, fixed[i], text ? text : "null", "field is immutable");
    }
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    check_metadata(causes, object, NAME_SUBDOMAIN);
    job_check_spec(causes, "spec", json_object_get(object, "spec"));
    if (old)
        check_fixed(causes, object, old);
}

/* ---- the row ------------------------------------------------------------------------------ */

static bool has_condition(const json_t *job, const char *type)
{
    return strcmp(object_string(object_condition(job, type), "status"), "True") == 0;
}

static const char *state_of(const json_t *job)
{
    static const char *const ends[] = {"Complete", "Failed"};
    static const char *const others[] = {"Suspended", "FailureTarget", "SuccessCriteriaMet"};
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        if (has_condition(job, ends[i]))
            return ends[i];
    }
    if (object_is_deleted(job))
        return "Terminating";
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        if (has_condition(job, others[i]))
            return others[i];
    }
    return "Running";
}

static void cells_completions(json_t *cells, const json_t *job)
{
    long long done = object_integer(job, "status.succeeded", 0);
    long long parallelism = object_integer(job, "spec.parallelism", 0);
    if (object_at(job, "spec.completions"))
        cells_format(
            cells, "%lld/%lld", done, (long long)object_integer(job, "spec.completions", 0));
    else if (parallelism > 1)
        cells_format(cells, "%lld/1 of %lld", done, parallelism);
    else
        cells_format(cells, "%lld/1", done);
}

static void cells_duration(json_t *cells, const json_t *job, time_t now)
{
    time_t start = object_time_parse(object_string(job, "status.startTime"));
    time_t end = object_time_parse(object_string(job, "status.completionTime"));
    char text[DURATION_SIZE] = "";
    if (start >= 0)
        human_duration(text, (end >= 0 ? end : now) - start);
    cells_string(cells, text);
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_string(cells, state_of(object));
    cells_completions(cells, object);
    cells_duration(cells, object, now);
    cells_age(cells, object, now);
    cells_containers(cells, object_at(object, "spec.template.spec"));
    cells_selector(cells, object_at(object, "spec.selector"));
}

static const char *const categories[] = {"all", NULL};
static const char *const fields[] = {"status.successful", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Status"), COLUMN("Completions"),
    COLUMN("Duration"), COLUMN_AGE, COLUMN_WIDE("Containers"), COLUMN_WIDE("Images"),
    COLUMN_WIDE("Selector"), {0}};

const kind_t kind_job = {
    .name = "Job",
    .group = "batch",
    .version = "v1",
    .plural = "jobs",
    .singular = "job",
    .type = "batch/v1.Job",
    .categories = categories,
    .fields = fields,
    .is_namespaced = true,
    .has_status = true,
    .has_generation = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
