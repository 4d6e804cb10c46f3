/* stay - the nights from one date to another, as the reservation service counts them. */
#ifndef HOTEL_STAY_H
#define HOTEL_STAY_H

#include "base/err.h"

#include <stddef.h>

enum { STAY_NIGHT_LIMIT = 90, STAY_DATE_SIZE = 11 };

typedef struct stay {
    size_t night_count;
    char dates[STAY_NIGHT_LIMIT + 1][STAY_DATE_SIZE]; /* night i is from dates[i] to dates[i + 1] */
} stay_t;

/* Fails with -ERR_INVALID unless both are existing dates as YYYY-MM-DD, in this order, and not more
 * than STAY_NIGHT_LIMIT nights apart. NULL is no date. */
int stay_parse(const char *in_date, const char *out_date, stay_t *stay_p, err_t *err);

#endif
