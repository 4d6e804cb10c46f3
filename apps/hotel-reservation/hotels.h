/* hotels - the 80 hotels that the services seed their databases with: the original's values. */
#ifndef HOTEL_HOTELS_H
#define HOTEL_HOTELS_H

#include <jansson.h>
#include <stdbool.h>

enum { HOTEL_COUNT = 80, USER_COUNT = 501 };

/* Number i, from 1 to HOTEL_COUNT, as each database stores it; new references. */
json_t *hotels_point(int i);
json_t *hotels_profile(int i);
json_t *hotels_recommendation(int i);

/* NULL for the hotels that offer no rate. */
json_t *hotels_rate_plan(int i);

/* How many rooms it has. */
int hotels_capacity(int i);

#endif
