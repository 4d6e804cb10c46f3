/* ids - lists of hotel ids between JSON and C. */
#ifndef HOTEL_IDS_H
#define HOTEL_IDS_H

#include "base/err.h"

#include <jansson.h>
#include <stddef.h>

enum { IDS_LIMIT = 128 };

typedef struct ids {
    size_t count;
    const char *list[IDS_LIMIT]; /* borrowed from the JSON */
} ids_t;

/* Reads member `name` of request, an array of at most IDS_LIMIT non-empty strings without spaces.
 */
int ids_read(const json_t *request, const char *name, ids_t *ids_p, err_t *err);

#endif
