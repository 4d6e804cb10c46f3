/* The original asks Prometheus for the raw series in steps of 15 s. Five minutes of data give the
 * same rows here; when there is less, the steps are finer, so that there are always about as many.
 */
#include "services/telemetry/metric_files.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/telemetry/csv.h"

enum { ROWS_AIMED_AT = 21, PATIENCE_MS = 5000, DAY_MIN = 24 * 60 };

/* The times for which rows are written. */
typedef struct grid {
    int64_t begin_ms;
    int64_t end_ms;
    int64_t step_ms;
} grid_t;

static grid_t grid_for(const history_t *history, int64_t minutes)
{
    static const int64_t steps_s[] = {1, 2, 5, 10, 15};
    grid_t grid = {.begin_ms = history_begin(history), .end_ms = history_end(history)};
    minutes = minutes < 1 ? 1 : minutes > DAY_MIN ? DAY_MIN : minutes;
    if (grid.begin_ms < grid.end_ms - minutes * 60000)
        grid.begin_ms = grid.end_ms - minutes * 60000;
    size_t i = 0;
    while (i + 1 < ARRAY_SIZE(steps_s)
           && (grid.end_ms - grid.begin_ms) / (1000 * steps_s[i]) >= ROWS_AIMED_AT)
        i++;
    grid.step_ms = 1000 * steps_s[i];
    grid.begin_ms = grid.end_ms - (grid.end_ms - grid.begin_ms) / grid.step_ms * grid.step_ms;
    return grid;
}

static bool is_wanted(const history_series_t *series, const char *namespace)
{
    return series->kind == HISTORY_LOAD || strcmp(series->namespace, namespace) == 0;
}

static void write_row(FILE *out, int64_t time_ms, const history_series_t *series, double value)
{
    AUTO_FREE char *kpi = xasprintf("%s%s", series->name, series->detail);
    fprintf(out, "%lld,", (long long)(time_ms / 1000));
    csv_text(out, series->owner);
    fputc(',', out);
    csv_text(out, kpi);
    fputc(',', out);
    csv_number(out, value);
    fputc('\n', out);
}

/* The rows of count series of one metric; NULL if there are none. */
static char *rows_of(const history_t *history, const history_series_t *const *series, size_t count,
    const char *namespace, grid_t grid)
{
    char *text = NULL;
    size_t size = 0;
    size_t rows = 0;
    FILE *out = mem_check(open_memstream(&text, &size));
    fputs("timestamp,cmdb_id,kpi_name,value\n", out);
    for (int64_t time_ms = grid.begin_ms; time_ms <= grid.end_ms; time_ms += grid.step_ms) {
        for (size_t i = 0; i < count; i++) {
            double value = 0;
            if (!is_wanted(series[i], namespace)
                || !history_value(history, series[i], time_ms, PATIENCE_MS, &value))
                continue;
            write_row(out, time_ms, series[i], value);
            rows++;
        }
    }
    fclose(out);
    if (rows)
        return text;
    free(text);
    return NULL;
}

json_t *metric_files(const history_t *history, const char *namespace, int64_t minutes)
{
    static const char *const folders[] = {
        [HISTORY_CONTAINER] = "container", [HISTORY_APP] = "app", [HISTORY_LOAD] = "load"};
    size_t count = 0;
    AUTO_FREE const history_series_t **list = history_list(history, &count);
    grid_t grid = grid_for(history, minutes);
    json_t *files = json_array();
    for (size_t first = 0, next = 0; first < count; first = next) {
        while (next < count && list[next]->kind == list[first]->kind
               && strcmp(list[next]->name, list[first]->name) == 0)
            next++;
        AUTO_FREE char *text = rows_of(history, list + first, next - first, namespace, grid);
        if (text)
            json_array_append_new(files,
                json_pack("{s:o, s:s}", "path",
                    json_sprintf("%s/kpi_%s.csv", folders[list[first]->kind], list[first]->name),
                    "text", text));
    }
    return files;
}
