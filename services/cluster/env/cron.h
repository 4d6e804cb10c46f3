/* cron - schedules of CronJobs, as robfig/cron's standard parser reads them.
 *
 * Five fields (minute, hour, day of month, month, day of week) of lists, ranges, steps and names;
 * "@hourly" and its kin; "@every 90m". Where both days are limited, either will do. */
#ifndef CLUSTER_ENV_CRON_H
#define CLUSTER_ENV_CRON_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct cron {
    int64_t every; /* seconds of "@every", or 0 */
    uint64_t minutes;
    uint64_t hours;
    uint64_t days;
    uint64_t months;
    uint64_t weekdays; /* 0 is Sunday */
    bool is_any_day;
    bool is_any_weekday;
} cron_t;

/* -ERR_INVALID with the parser's sentence. */
int cron_parse(cron_t *self, const char *text, err_t *err);

/* The first time after `after` in a time zone (NULL: UTC), or -1 if there is none in five years. */
time_t cron_next(const cron_t *self, time_t after, const char *zone);

/* Whether there is a time zone of that name; -ERR_INVALID with a sentence if not. */
int cron_check_zone(const char *zone, err_t *err);

#endif
