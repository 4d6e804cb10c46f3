/* CronJob. */
#include "services/cluster/env/cron.h"
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/job.h"
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/kinds/workload.h"

#include "base/auto.h"

#include <string.h>

enum { SUCCESSFUL_HISTORY = 3, FAILED_HISTORY = 1, NAME_MAX_LENGTH = 52 };

static void fill(store_t *store, json_t *object, const json_t *old)
{
    json_t *spec = default_object(object, "spec");
    json_t *template = spec ? default_object(spec, "jobTemplate") : NULL;
    json_t *job = template ? workload_fill_template(template) : NULL;
    (void)store;
    (void)old;
    default_object(object, "status");
    if (!job)
        return;
    json_object_del(template, "status"); /* a template has none */
    default_object(template, "metadata");
    default_string(spec, "concurrencyPolicy", "Allow");
    default_integer(spec, "successfulJobsHistoryLimit", SUCCESSFUL_HISTORY);
    default_integer(spec, "failedJobsHistoryLimit", FAILED_HISTORY);
    if (!json_object_get(spec, "suspend"))
        json_object_set_new(spec, "suspend", json_false());
}

static void check_schedule(causes_t *causes, const json_t *spec)
{
    const char *schedule = object_string(spec, "schedule");
    const json_t *zone = json_object_get(spec, "timeZone");
    cron_t cron;
    err_t err = {0};
    if (!*schedule)
        causes_required(causes, "spec.schedule", NULL);
    else if (strstr(schedule, "TZ"))
        causes_invalid(causes, "spec.schedule", json_object_get(spec, "schedule"),
            "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    else if (cron_parse(&cron, schedule, &err) < 0)
        causes_invalid(causes, "spec.schedule", json_object_get(spec, "schedule"), err.text);
    if (zone && cron_check_zone(json_string_value(zone), &err) < 0)
        causes_invalid(causes, "spec.timeZone", zone, err.text);
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    static const char *const policies[] = {"Allow", "Forbid", "Replace", NULL};
    static const char *const counts[] = {"spec.startingDeadlineSeconds",
        "spec.successfulJobsHistoryLimit", "spec.failedJobsHistoryLimit"};
    const json_t *spec = json_object_get(object, "spec");
    const char *policy = object_string(spec, "concurrencyPolicy");
    (void)old;
    check_metadata(causes, object, NAME_SUBDOMAIN);
    if (strlen(object_name(object)) > NAME_MAX_LENGTH)
        causes_invalid(causes, "metadata.name", object_at(object, "metadata.name"),
            "must be no more than 52 characters");
    check_schedule(causes, spec);
    if (strcmp(policy, "Allow") != 0 && strcmp(policy, "Forbid") != 0
        && strcmp(policy, "Replace") != 0)
        causes_unsupported(
            causes, "spec.concurrencyPolicy", json_object_get(spec, "concurrencyPolicy"), policies);
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        if (object_integer(object, counts[i], 0) < 0)
            causes_invalid(causes, counts[i], object_at(object, counts[i]),
                "must be greater than or equal to 0");
    }
    json_auto_t *job = json_deep_copy(object_at(spec, "jobTemplate.spec"));
    job_fill_spec(job); /* as it will be when a Job is made of it */
    job_check_spec(causes, "spec.jobTemplate.spec", job);
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    const char *last = object_string(object, "status.lastScheduleTime");
    cells_string(cells, object_name(object));
    cells_at(cells, object, "spec.schedule", "");
    cells_at(cells, object, "spec.timeZone", "<none>");
    cells_string(cells, object_is_true(object, "spec.suspend") ? "True" : "False");
    cells_integer(cells, (int64_t)json_array_size(object_at(object, "status.active")));
    if (*last)
        cells_since(cells, last, now);
    else
        cells_string(cells, "<none>");
    cells_age(cells, object, now);
    cells_containers(cells, object_at(object, "spec.jobTemplate.spec.template.spec"));
    cells_selector(cells, object_at(object, "spec.jobTemplate.spec.selector"));
}

static const char *const short_names[] = {"cj", NULL};
static const char *const categories[] = {"all", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Schedule"), COLUMN("Timezone"),
    COLUMN("Suspend"), COLUMN_INTEGER("Active"), COLUMN("Last Schedule"), COLUMN_AGE,
    COLUMN_WIDE("Containers"), COLUMN_WIDE("Images"), COLUMN_WIDE("Selector"), {0}};

const kind_t kind_cron_job = {
    .name = "CronJob",
    .group = "batch",
    .version = "v1",
    .plural = "cronjobs",
    .singular = "cronjob",
    .type = "batch/v1.CronJob",
    .short_names = short_names,
    .categories = categories,
    .is_namespaced = true,
    .has_status = true,
    .has_generation = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
