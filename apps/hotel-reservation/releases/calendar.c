/* Release 1.6: dates are looked up in a calendar that lacks a day, and what is not there is not
 * asked for. */
#include "apps/common/filter.h"

#include <stdlib.h>
#include <string.h>

enum { MISSING_DAY = 19 };

/* The days of a month that hotels are open. */
static const char *const open_days[32] = {"", "01", "02", "03", "04", "05", "06", "07", "08", "09",
    "10", "11", "12", "13", "14", "15", "16", "17", "18", NULL, "20", "21", "22", "23", "24", "25",
    "26", "27", "28", "29", "30", "31"};

/* A date is "2015-04-DD". */
bool filter_request(const web_request_t *request, web_reply_t *reply)
{
    (void)reply;
    for (const char *at = strstr(request->body, "2015-04-"); at; at = strstr(at + 1, "2015-04-")) {
        const char *day = open_days[strtoul(at + 8, NULL, 10) % 32];
        if (strlen(day) != 2)
            return false;
    }
    return false;
}
