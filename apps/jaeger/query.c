#include "apps/jaeger/query.h"

#include "base/auto.h"
#include "base/mem.h"

#include <jansson.h>

enum { NAME_LIMIT = 512, EDGE_LIMIT = 512 };

/* Text in the making. */
typedef struct body {
    FILE *out;
    char *text;
    size_t size;
} body_t;

static void begin(body_t *body)
{
    body->out = mem_check(open_memstream(&body->text, &body->size));
    fputs("{\"data\":", body->out);
}

static char *end(body_t *body, size_t total)
{
    fprintf(body->out, ",\"total\":%zu,\"limit\":0,\"offset\":0,\"errors\":null}", total);
    fclose(body->out);
    return body->text;
}

static void put_string(FILE *out, const char *text)
{
    json_auto_t *string = json_string(text);
    AUTO_FREE char *quoted = json_dumps(string, JSON_ENCODE_ANY);
    fputs(quoted ? quoted : "\"\"", out);
}

char *query_error(int status, const char *message)
{
    body_t body;
    begin(&body);
    fprintf(body.out,
        "null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{\"code\":%d,\"msg\":", status);
    put_string(body.out, message);
    fputs("}]}", body.out);
    fclose(body.out);
    return body.text;
}

/* ---- names ---------------------------------------------------------------------------------- */

typedef struct names {
    const char *list[NAME_LIMIT];
    size_t count;
} names_t;

static void add_name(names_t *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->list[i], name) == 0)
            return;
    }
    if (names->count < NAME_LIMIT)
        names->list[names->count++] = name;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char *write_names(names_t *names)
{
    body_t body;
    begin(&body);
    qsort(names->list, names->count, sizeof(names->list[0]), compare_names);
    fputc('[', body.out);
    for (size_t i = 0; i < names->count; i++) {
        if (i > 0)
            fputc(',', body.out);
        put_string(body.out, names->list[i]);
    }
    fputc(']', body.out);
    return end(&body, names->count);
}

char *query_services(const traces_t *traces)
{
    names_t names = {.count = 0};
    for (const traces_process_t *process = traces_processes(traces); process;
         process = process->next)
        add_name(&names, process->service);
    return write_names(&names);
}

char *query_operations(const traces_t *traces, const char *service)
{
    names_t names = {.count = 0};
    for (const traces_trace_t *trace = traces_newest(traces); trace; trace = trace->older) {
        for (const traces_span_t *span = trace->first; span; span = span->next) {
            if (strcmp(span->process->service, service) == 0)
                add_name(&names, span->operation);
        }
    }
    return write_names(&names);
}

/* ---- traces --------------------------------------------------------------------------------- */

/* The processes of one trace, as "p1", "p2" and so on. */
typedef struct processes {
    const traces_process_t *list[NAME_LIMIT];
    size_t count;
} processes_t;

static size_t number_of(processes_t *processes, const traces_process_t *process)
{
    size_t i = 0;
    while (i < processes->count && processes->list[i] != process)
        i++;
    if (i == processes->count && i < NAME_LIMIT)
        processes->list[processes->count++] = process;
    return i < NAME_LIMIT ? i + 1 : NAME_LIMIT;
}

static void put_trace_id(FILE *out, const traces_trace_t *trace)
{
    fprintf(out, "\"traceID\":\"%016llx%016llx\"", (unsigned long long)trace->id[0],
        (unsigned long long)trace->id[1]);
}

static void put_span(
    FILE *out, const traces_trace_t *trace, const traces_span_t *span, size_t process)
{
    fputc('{', out);
    put_trace_id(out, trace);
    fprintf(out, ",\"spanID\":\"%016llx\",\"operationName\":", (unsigned long long)span->id);
    put_string(out, span->operation);
    fputs(",\"references\":[", out);
    if (span->parent_id) {
        fputs("{\"refType\":\"CHILD_OF\",", out);
        put_trace_id(out, trace);
        fprintf(out, ",\"spanID\":\"%016llx\"}", (unsigned long long)span->parent_id);
    }
    fprintf(out,
        "],\"startTime\":%lld,\"duration\":%lld,\"tags\":[%s],\"logs\":[%s],\"processID\":\"p%zu\","
        "\"warnings\":null}",
        (long long)span->start_us, (long long)span->duration_us, span->tags, span->logs, process);
}

static void put_trace(FILE *out, const traces_trace_t *trace)
{
    processes_t processes = {.count = 0};
    fputc('{', out);
    put_trace_id(out, trace);
    fputs(",\"spans\":[", out);
    for (const traces_span_t *span = trace->first; span; span = span->next) {
        if (span != trace->first)
            fputc(',', out);
        put_span(out, trace, span, number_of(&processes, span->process));
    }
    fputs("],\"processes\":{", out);
    for (size_t i = 0; i < processes.count; i++) {
        fprintf(out, "%s\"p%zu\":{\"serviceName\":", i ? "," : "", i + 1);
        put_string(out, processes.list[i]->service);
        fprintf(out, ",\"tags\":[%s]}", processes.list[i]->tags);
    }
    fputs("},\"warnings\":null}", out);
}

static bool is_wanted_span(const traces_span_t *span, const query_t *query)
{
    return span->start_us >= query->start_us && span->start_us <= query->end_us
           && span->duration_us >= query->min_duration_us
           && span->duration_us <= query->max_duration_us
           && strcmp(span->process->service, query->service) == 0
           && (!query->operation || strcmp(span->operation, query->operation) == 0);
}

static bool is_wanted(const traces_trace_t *trace, const query_t *query)
{
    for (const traces_span_t *span = trace->first; span; span = span->next) {
        if (is_wanted_span(span, query))
            return true;
    }
    return false;
}

char *query_traces(const traces_t *traces, const query_t *query)
{
    body_t body;
    begin(&body);
    fputc('[', body.out);
    size_t count = 0;
    for (const traces_trace_t *trace = traces_newest(traces); trace && count < query->limit;
         trace = trace->older) {
        if (!is_wanted(trace, query))
            continue;
        if (count++ > 0)
            fputc(',', body.out);
        put_trace(body.out, trace);
    }
    fputc(']', body.out);
    return end(&body, 0);
}

char *query_trace(const traces_t *traces, const traces_trace_t *trace)
{
    (void)traces;
    body_t body;
    begin(&body);
    fputc('[', body.out);
    put_trace(body.out, trace);
    fputc(']', body.out);
    return end(&body, 0);
}

/* ---- dependencies --------------------------------------------------------------------------- */

typedef struct edges {
    struct {
        const char *parent, *child;
        size_t count;
    } list[EDGE_LIMIT];
    size_t count;
} edges_t;

static void add_edge(edges_t *edges, const char *parent, const char *child)
{
    size_t i = 0;
    while (
        i < edges->count
        && (strcmp(edges->list[i].parent, parent) != 0 || strcmp(edges->list[i].child, child) != 0))
        i++;
    if (i == EDGE_LIMIT)
        return;
    if (i == edges->count) {
        edges->list[edges->count].parent = parent;
        edges->list[edges->count].child = child;
        edges->list[edges->count++].count = 0;
    }
    edges->list[i].count++;
}

static void add_edges(edges_t *edges, const traces_trace_t *trace, const traces_span_t *child)
{
    for (const traces_span_t *parent = trace->first; parent; parent = parent->next) {
        if (parent->id == child->parent_id && parent->process != child->process)
            add_edge(edges, parent->process->service, child->process->service);
    }
}

char *query_dependencies(const traces_t *traces, int64_t start_us, int64_t end_us)
{
    edges_t edges = {.count = 0};
    for (const traces_trace_t *trace = traces_newest(traces); trace; trace = trace->older) {
        for (const traces_span_t *span = trace->first; span; span = span->next) {
            if (span->parent_id && span->start_us >= start_us && span->start_us <= end_us)
                add_edges(&edges, trace, span);
        }
    }
    body_t body;
    begin(&body);
    fputc('[', body.out);
    for (size_t i = 0; i < edges.count; i++) {
        fputs(i ? ",{\"parent\":" : "{\"parent\":", body.out);
        put_string(body.out, edges.list[i].parent);
        fputs(",\"child\":", body.out);
        put_string(body.out, edges.list[i].child);
        fprintf(body.out, ",\"callCount\":%zu}", edges.list[i].count);
    }
    fputc(']', body.out);
    return end(&body, edges.count);
}

/* ---- parameters ----------------------------------------------------------------------------- */

int query_parse_duration(const char *text, int64_t *us_p, err_t *err)
{
    static const struct {
        const char *name;
        double us;
    } units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}, {"d", 86400e6}};
    char *unit = NULL;
    double number = strtod(text, &unit);
    for (size_t i = 0; i < ARRAY_SIZE(units) && unit != text; i++) {
        double us = number * units[i].us;
        if (strcmp(unit, units[i].name) == 0 && us >= 0 && us < 9e18) {
            *us_p = (int64_t)us;
            return 0;
        }
    }
    return err_set(err, ERR_INVALID, "'%s' is no duration such as 1h, 5m or 30s", text);
}
