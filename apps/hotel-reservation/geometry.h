/* geometry - points on the earth: how far, and which are nearest. */
#ifndef HOTEL_GEOMETRY_H
#define HOTEL_GEOMETRY_H

#include <stddef.h>

typedef struct point {
    char id[8]; /* of a hotel */
    double latitude;
    double longitude;
} point_t;

/* Great-circle distance in kilometres. */
double geometry_distance_km(
    double latitude1, double longitude1, double latitude2, double longitude2);

/* Writes the nearest points within radius_km, at most limit, nearest first, and returns how many.
 * Points as far as each other keep their order. */
size_t geometry_nearest(const point_t *points, size_t count, double latitude, double longitude,
    double radius_km, const point_t **nearest_p, size_t limit);

#endif
