#include "apps/hotel-reservation/stay.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

/* Days since 1970, or false for "2015-02-30" and the like. */
static bool read_date(const char *text, long *day_p)
{
    struct tm date = {0};
    char again[STAY_DATE_SIZE];
    if (!text || strlen(text) != STAY_DATE_SIZE - 1)
        return false;
    const char *end = strptime(text, "%Y-%m-%d", &date);
    if (!end || *end)
        return false;
    time_t seconds = timegm(&date);
    strftime(again, sizeof(again), "%Y-%m-%d", &date);
    *day_p = (long)(seconds / 86400);
    return strcmp(text, again) == 0;
}

static void write_date(long day, char text_p[STAY_DATE_SIZE])
{
    time_t seconds = (time_t)day * 86400;
    struct tm date;
    gmtime_r(&seconds, &date);
    strftime(text_p, STAY_DATE_SIZE, "%Y-%m-%d", &date);
}

int stay_parse(const char *in_date, const char *out_date, stay_t *stay_p, err_t *err)
{
    long first = 0;
    long last = 0;
    if (!read_date(in_date, &first) || !read_date(out_date, &last))
        return err_set(err, ERR_INVALID, "Please check inDate/outDate format (YYYY-MM-DD)");
    if (last <= first || last - first > STAY_NIGHT_LIMIT)
        return err_set(
            err, ERR_INVALID, "outDate must be 1 to %d days after inDate", STAY_NIGHT_LIMIT);
    stay_p->night_count = (size_t)(last - first);
    for (long day = first; day <= last; day++)
        write_date(day, stay_p->dates[day - first]);
    return 0;
}
