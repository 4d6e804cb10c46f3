#include "services/telemetry/history.h"

#include "base/auto.h"
#include "base/mem.h"

#include <czmq.h>

enum {
    TRIM_TICKS = 30,      /* between two rounds of forgetting */
    SERIES_LIMIT = 50000, /* an application with endless labels is not to eat us */
};

typedef struct run {
    uint32_t first; /* ticks, both included */
    uint32_t last;
    double value;
} run_t;

typedef struct series {
    history_series_t about; /* first, so that callers' pointers are ours */
    run_t *runs;
    size_t count;
    size_t capacity;
} series_t;

struct history {
    int64_t window_ms;
    size_t limit_bytes;
    zhashx_t *series; /* series_t by key */
    int64_t *times;   /* of ticks from `oldest` to `now` */
    size_t time_capacity;
    uint32_t oldest; /* the first tick kept */
    uint32_t now;    /* the present tick; before `oldest` when there is none */
    size_t bytes;
    uint64_t dropped;
};

static void series_destroy(void **item_p)
{
    series_t *self = *item_p;
    free(self->about.name);
    free(self->about.namespace);
    free(self->about.owner);
    free(self->about.detail);
    free(self->runs);
    free(self);
    *item_p = NULL;
}

static size_t tick_count(const history_t *self)
{
    return self->now + 1 - self->oldest;
}

/* ---- forgetting --------------------------------------------------------------------------- */

/* Takes away runs that ended before the oldest tick. Returns whether any is left. */
static bool series_trim(history_t *self, series_t *series, bool is_early)
{
    size_t gone = 0;
    while (gone < series->count && series->runs[gone].last < self->oldest)
        gone++;
    if (gone) {
        series->count -= gone;
        memmove(series->runs, series->runs + gone, series->count * sizeof(run_t));
        self->bytes -= gone * sizeof(run_t);
        self->dropped += is_early ? gone : 0;
    }
    return series->count > 0;
}

static void forget_before(history_t *self, uint32_t oldest, bool is_early)
{
    size_t gone = oldest - self->oldest;
    memmove(self->times, self->times + gone, (tick_count(self) - gone) * sizeof(*self->times));
    self->oldest = oldest;
    AUTO(zlistx_destroy) zlistx_t *keys = zhashx_keys(self->series);
    for (const char *key = zlistx_first(keys); key; key = zlistx_next(keys)) {
        if (!series_trim(self, zhashx_lookup(self->series, key), is_early))
            zhashx_delete(self->series, key);
    }
}

static void trim(history_t *self)
{
    uint32_t oldest = self->oldest;
    while (oldest < self->now
           && self->times[oldest - self->oldest] < history_end(self) - self->window_ms)
        oldest++;
    if (oldest > self->oldest)
        forget_before(self, oldest, false);
    if (self->bytes > self->limit_bytes)
        forget_before(self, self->oldest + (uint32_t)(tick_count(self) / 4), true);
}

/* ---- noting ------------------------------------------------------------------------------- */

void history_tick(history_t *self, int64_t time_ms)
{
    self->now++;
    if (tick_count(self) > self->time_capacity) {
        self->time_capacity = self->time_capacity ? 2 * self->time_capacity : 256;
        self->times =
            mem_check(reallocarray(self->times, self->time_capacity, sizeof(*self->times)));
    }
    self->times[tick_count(self) - 1] = time_ms;
    if (self->now % TRIM_TICKS == 0)
        trim(self);
}

static series_t *series_new(
    history_t *self, const char *key, history_describe_fn *describe, void *arg)
{
    if (zhashx_size(self->series) >= SERIES_LIMIT) {
        self->dropped++;
        return NULL;
    }
    series_t *series = xcalloc(1, sizeof(*series));
    if (!describe(arg, &series->about)) {
        series_destroy((void **)&series);
        return NULL;
    }
    zhashx_insert(self->series, key, series);
    return series;
}

static void append_run(history_t *self, series_t *series, double value)
{
    if (series->count == series->capacity) {
        series->capacity = series->capacity ? 2 * series->capacity : 4;
        series->runs = mem_check(reallocarray(series->runs, series->capacity, sizeof(run_t)));
    }
    series->runs[series->count++] = (run_t){.first = self->now, .last = self->now, .value = value};
    self->bytes += sizeof(run_t);
}

void history_put(
    history_t *self, const char *key, double value, history_describe_fn *describe, void *arg)
{
    series_t *series = zhashx_lookup(self->series, key);
    if (!series)
        series = series_new(self, key, describe, arg);
    if (!series || self->now < self->oldest)
        return;
    if (series->count == 0) {
        append_run(self, series, value);
        return;
    }
    run_t *run = &series->runs[series->count - 1];
    if (run->last == self->now)
        return; /* noted already */
    if (run->last + 1 >= self->now && run->value == value)
        run->last = self->now;
    else
        append_run(self, series, value);
}

/* ---- reading ------------------------------------------------------------------------------ */

int64_t history_begin(const history_t *self)
{
    return self->now < self->oldest ? 0 : self->times[0];
}

int64_t history_end(const history_t *self)
{
    return self->now < self->oldest ? 0 : self->times[tick_count(self) - 1];
}

/* The last tick at or before a time; false if there is none. */
static bool tick_at(const history_t *self, int64_t time_ms, uint32_t *tick)
{
    size_t low = 0;
    size_t high = tick_count(self);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (self->times[middle] <= time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    *tick = self->oldest + (uint32_t)low - 1;
    return low > 0;
}

/* The last run that begins at or before a tick, or NULL. */
static const run_t *run_at(const series_t *series, uint32_t tick)
{
    size_t low = 0;
    size_t high = series->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (series->runs[middle].first <= tick)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &series->runs[low - 1] : NULL;
}

bool history_value(const history_t *self, const history_series_t *series, int64_t time_ms,
    int64_t patience_ms, double *value)
{
    uint32_t tick = 0;
    if (self->now < self->oldest || !tick_at(self, time_ms, &tick))
        return false;
    const run_t *run = run_at((const series_t *)series, tick);
    if (!run)
        return false;
    uint32_t seen = run->last < tick ? run->last : tick;
    if (seen < self->oldest || self->times[seen - self->oldest] < time_ms - patience_ms)
        return false;
    *value = run->value;
    return true;
}

static int compare(const void *left, const void *right)
{
    const history_series_t *a = *(const history_series_t *const *)left;
    const history_series_t *b = *(const history_series_t *const *)right;
    int order = (int)a->kind - (int)b->kind;
    if (!order)
        order = strcmp(a->name, b->name);
    if (!order)
        order = strcmp(a->owner, b->owner);
    return order ? order : strcmp(a->detail, b->detail);
}

const history_series_t **history_list(const history_t *self, size_t *count_p)
{
    size_t count = 0;
    const history_series_t **list = xcalloc(zhashx_size(self->series) + 1, sizeof(*list));
    for (series_t *series = zhashx_first(self->series); series; series = zhashx_next(self->series))
        list[count++] = &series->about;
    qsort(list, count, sizeof(*list), compare);
    *count_p = count;
    return list;
}

size_t history_bytes(const history_t *self)
{
    return self->bytes;
}

uint64_t history_dropped(const history_t *self)
{
    return self->dropped;
}

/* ---- life cycle --------------------------------------------------------------------------- */

history_t *history_new(int64_t window_ms, size_t limit_bytes)
{
    history_t *self = xcalloc(1, sizeof(*self));
    self->window_ms = window_ms;
    self->limit_bytes = limit_bytes;
    self->oldest = 1;
    self->series = zhashx_new();
    zhashx_set_destructor(self->series, series_destroy);
    return self;
}

void history_destroy(history_t **self_p)
{
    history_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    zhashx_destroy(&self->series);
    free(self->times);
    free(self);
}
