#include "services/cluster/env/cron.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>
#include <fcntl.h>
#include <unistd.h>

enum { TEXT_MAX = 512, DAY = 86400, YEARS_AHEAD = 5 };

/* ---- fields ------------------------------------------------------------------------------- */

typedef struct bounds {
    long low;
    long high;
    const char *names; /* three letters each, from low on, or NULL */
} bounds_t;

static const bounds_t minute_bounds = {0, 59, NULL};
static const bounds_t hour_bounds = {0, 23, NULL};
static const bounds_t day_bounds = {1, 31, NULL};
static const bounds_t month_bounds = {1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"};
static const bounds_t weekday_bounds = {0, 6, "sunmontuewedthufrisat"};

static int read_number(const char *text, size_t length, long *number_p, err_t *err)
{
    enum { DIGITS_MAX = 9 };
    char digits[DIGITS_MAX + 1] = "";
    if (length > 0 && length <= DIGITS_MAX)
        memcpy(digits, text, length);
    if (!*digits || strspn(digits, "0123456789") != length)
        return err_set(err, ERR_INVALID,
            "failed to parse int from %.*s: strconv.Atoi: parsing \"%.*s\": invalid syntax",
            (int)length, text, (int)length, text);
    *number_p = strtol(digits, NULL, 10);
    return 0;
}

static int read_value(
    const bounds_t *bounds, const char *text, size_t length, long *value_p, err_t *err)
{
    enum { NAME_LENGTH = 3 };
    for (const char *name = bounds->names; name && *name && length == NAME_LENGTH;
         name += NAME_LENGTH) {
        if (strncasecmp(name, text, NAME_LENGTH) == 0) {
            *value_p = bounds->low + (name - bounds->names) / NAME_LENGTH;
            return 0;
        }
    }
    return read_number(text, length, value_p, err);
}

/* A range as it stands in a list. */
typedef struct range {
    long first;
    long last;
    long step;
    bool is_any; /* "*" or "?" without a step */
} range_t;

/* What stands before the '/'. */
static int read_span(
    const bounds_t *bounds, const char *text, size_t length, range_t *range, err_t *err)
{
    const char *dash = memchr(text, '-', length);
    *range = (range_t){bounds->low, bounds->high, 1, true};
    if (length == 1 && (*text == '*' || *text == '?'))
        return 0;
    range->is_any = false;
    size_t first_length = dash ? (size_t)(dash - text) : length;
    int rc = read_value(bounds, text, first_length, &range->first, err);
    if (rc < 0)
        return rc;
    range->last = range->first;
    if (!dash)
        return 0;
    size_t last_length = length - first_length - 1;
    if (memchr(dash + 1, '-', last_length))
        return err_set(err, ERR_INVALID, "too many hyphens: %.*s", (int)length, text);
    return read_value(bounds, dash + 1, last_length, &range->last, err);
}

static int check_range(
    const bounds_t *bounds, const range_t *range, const char *text, size_t length, err_t *err)
{
    int shown = (int)length;
    if (range->first < bounds->low)
        return err_set(err, ERR_INVALID, "beginning of range (%ld) below minimum (%ld): %.*s",
            range->first, bounds->low, shown, text);
    if (range->last > bounds->high)
        return err_set(err, ERR_INVALID, "end of range (%ld) above maximum (%ld): %.*s",
            range->last, bounds->high, shown, text);
    if (range->first > range->last)
        return err_set(err, ERR_INVALID, "beginning of range (%ld) beyond end of range (%ld): %.*s",
            range->first, range->last, shown, text);
    if (range->step == 0)
        return err_set(
            err, ERR_INVALID, "step of range should be a positive number: %.*s", shown, text);
    return 0;
}

static int read_range(
    const bounds_t *bounds, const char *text, size_t length, range_t *range, err_t *err)
{
    const char *slash = memchr(text, '/', length);
    size_t span_length = slash ? (size_t)(slash - text) : length;
    int rc = read_span(bounds, text, span_length, range, err);
    if (rc < 0)
        return rc;
    if (slash) {
        size_t step_length = length - span_length - 1;
        if (memchr(slash + 1, '/', step_length))
            return err_set(err, ERR_INVALID, "too many slashes: %.*s", (int)length, text);
        rc = read_number(slash + 1, step_length, &range->step, err);
        if (rc < 0)
            return rc;
        if (!range->is_any && !memchr(text, '-', span_length))
            range->last = bounds->high; /* "5/10" is from 5 on */
        range->is_any = range->is_any && range->step == 1;
    }
    return check_range(bounds, range, text, length, err);
}

static int read_field(const bounds_t *bounds, const char *text, size_t length, uint64_t *bits_p,
    bool *is_any_p, err_t *err)
{
    const char *end = text + length;
    *bits_p = 0;
    *is_any_p = false;
    while (text < end) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        size_t part = (size_t)((comma ? comma : end) - text);
        range_t range = {0};
        int rc = part ? read_range(bounds, text, part, &range, err) : 0;
        if (rc < 0)
            return rc;
        for (long i = range.first; part && i <= range.last; i += range.step)
            *bits_p |= 1ULL << i;
        *is_any_p = *is_any_p || (part && range.is_any);
        text += part + (comma != NULL);
    }
    return 0;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static int read_fields(cron_t *self, const char *text, err_t *err)
{
    enum { FIELD_COUNT = 5 };
    const char *starts[FIELD_COUNT] = {0};
    size_t lengths[FIELD_COUNT] = {0};
    size_t count = 0;
    bool ignored;
    for (const char *at = text + strspn(text, " \t"); *at; count++) {
        size_t length = strcspn(at, " \t");
        if (count < FIELD_COUNT) {
            starts[count] = at;
            lengths[count] = length;
        }
        at += length;
        at += strspn(at, " \t");
    }
    if (count != FIELD_COUNT)
        return err_set(err, ERR_INVALID, "expected exactly 5 fields, found %zu: [%s]", count, text);
    int rc = read_field(&minute_bounds, starts[0], lengths[0], &self->minutes, &ignored, err);
    if (rc == 0)
        rc = read_field(&hour_bounds, starts[1], lengths[1], &self->hours, &ignored, err);
    if (rc == 0)
        rc = read_field(&day_bounds, starts[2], lengths[2], &self->days, &self->is_any_day, err);
    if (rc == 0)
        rc = read_field(&month_bounds, starts[3], lengths[3], &self->months, &ignored, err);
    if (rc == 0)
        rc = read_field(
            &weekday_bounds, starts[4], lengths[4], &self->weekdays, &self->is_any_weekday, err);
    return rc;
}

/* Go's durations: "1h30m", "90s", "1.5h". */
static int read_duration(const char *text, double *seconds_p)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}, {"h", 3600}, {"m", 60}, {"s", 1}};
    double sum = 0;
    if (!*text)
        return -ERR_INVALID;
    while (*text) {
        size_t length = strspn(text, "0123456789.");
        double number = length ? strtod(text, NULL) : -1;
        size_t i = 0;
        text += length;
        while (i < ARRAY_SIZE(units) && strncmp(text, units[i].name, strlen(units[i].name)) != 0)
            i++;
        if (!(number >= 0) || i == ARRAY_SIZE(units))
            return -ERR_INVALID;
        text += strlen(units[i].name);
        sum += number * units[i].seconds;
    }
    *seconds_p = sum;
    return 0;
}

static int read_descriptor(cron_t *self, const char *text, err_t *err)
{
    static const char *const known[][2] = {
        {"@yearly", "0 0 1 1 *"},
        {"@annually", "0 0 1 1 *"},
        {"@monthly", "0 0 1 * *"},
        {"@weekly", "0 0 * * 0"},
        {"@daily", "0 0 * * *"},
        {"@midnight", "0 0 * * *"},
        {"@hourly", "0 * * * *"},
    };
    static const char every[] = "@every ";
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (strcmp(text, known[i][0]) == 0)
            return read_fields(self, known[i][1], err);
    }
    if (strncmp(text, every, sizeof(every) - 1) != 0)
        return err_set(err, ERR_INVALID, "unrecognized descriptor: %s", text);
    const char *duration = text + sizeof(every) - 1;
    double seconds = 0;
    if (read_duration(duration, &seconds) < 0 || seconds > (double)DAY * 366 * YEARS_AHEAD)
        return err_set(err, ERR_INVALID,
            "failed to parse duration %s: time: invalid duration \"%s\"", text, duration);
    self->every = seconds < 1 ? 1 : (int64_t)seconds;
    return 0;
}

int cron_parse(cron_t *self, const char *text, err_t *err)
{
    *self = (cron_t){0};
    if (!*text)
        return err_set(err, ERR_INVALID, "empty spec string");
    if (strlen(text) > TEXT_MAX)
        return err_set(err, ERR_INVALID, "a schedule must have at most %d characters", TEXT_MAX);
    return *text == '@' ? read_descriptor(self, text, err) : read_fields(self, text, err);
}

/* ---- time zones --------------------------------------------------------------------------- */

int cron_check_zone(const char *zone, err_t *err)
{
    enum { MAGIC_SIZE = 4 };
    char magic[MAGIC_SIZE] = "";
    if (!zone || !*zone || strcasecmp(zone, "Local") == 0)
        return err_set(err, ERR_INVALID,
            "timeZone must be an explicit time zone as defined in the IANA database");
    if (strcmp(zone, "UTC") == 0)
        return 0;
    AUTO_FREE char *path = xasprintf("/usr/share/zoneinfo/%s", zone);
    int fd = *zone == '/' || strstr(zone, "..") ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    bool is_zone = fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic)
                   && memcmp(magic, "TZif", sizeof(magic)) == 0;
    if (fd >= 0)
        close(fd);
    return is_zone ? 0 : err_set(err, ERR_INVALID, "unknown time zone %s", zone);
}

/* The C library knows one zone at a time, by the environment: it is set for a computation and set
 * back. For free(). */
static char *enter_zone(const char *zone)
{
    const char *old = getenv("TZ");
    char *kept = old ? xstrdup(old) : NULL;
    AUTO_FREE char *text = xasprintf(":%s", zone ? zone : "UTC");
    setenv("TZ", text, 1);
    tzset();
    return kept;
}

static void leave_zone(const char *kept)
{
    if (kept)
        setenv("TZ", kept, 1);
    else
        unsetenv("TZ");
    tzset();
}

/* ---- the next time ------------------------------------------------------------------------ */

static bool has(uint64_t bits, int i)
{
    return bits >> i & 1;
}

static bool is_day(const cron_t *self, const struct tm *at)
{
    bool day = has(self->days, at->tm_mday);
    bool weekday = has(self->weekdays, at->tm_wday);
    return self->is_any_day || self->is_any_weekday ? day && weekday : day || weekday;
}

/* Midnight of the first of the next month, or of the next day; always later than now. */
static time_t later(time_t now, struct tm at, bool is_month)
{
    at.tm_mon += is_month;
    at.tm_mday = is_month ? 1 : at.tm_mday + 1;
    at.tm_hour = at.tm_min = at.tm_sec = 0;
    at.tm_isdst = -1;
    time_t next = mktime(&at);
    return next > now ? next : now + 3600;
}

static time_t search(const cron_t *self, time_t now, time_t limit)
{
    struct tm at;
    while (now < limit && localtime_r(&now, &at)) {
        if (!has(self->months, at.tm_mon + 1))
            now = later(now, at, true);
        else if (!is_day(self, &at))
            now = later(now, at, false);
        else if (!has(self->hours, at.tm_hour))
            now += 3600 - at.tm_min * 60;
        else if (!has(self->minutes, at.tm_min))
            now += 60;
        else
            return now;
    }
    return -1;
}

time_t cron_next(const cron_t *self, time_t after, const char *zone)
{
    if (self->every)
        return after + self->every;
    time_t start = after - after % 60 + 60;
    AUTO_FREE char *kept = enter_zone(zone);
    time_t next = search(self, start, start + (time_t)DAY * 366 * YEARS_AHEAD);
    leave_zone(kept);
    return next;
}
