#include "apps/hotel-reservation/geometry.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Haversine, on a sphere of the earth's mean radius (IUGG). */
double geometry_distance_km(
    double latitude1, double longitude1, double latitude2, double longitude2)
{
    const double earth_km = 6371.0;
    const double radians = M_PI / 180;
    double half_latitude = sin((latitude2 - latitude1) * radians / 2);
    double half_longitude = sin((longitude2 - longitude1) * radians / 2);
    double h =
        half_latitude * half_latitude
        + cos(latitude1 * radians) * cos(latitude2 * radians) * half_longitude * half_longitude;
    return 2 * earth_km * asin(fmin(1, sqrt(h)));
}

/* Insertion into a short sorted list: 80 hotels need no index. */
size_t geometry_nearest(const point_t *points, size_t count, double latitude, double longitude,
    double radius_km, const point_t **nearest_p, size_t limit)
{
    double distances[64];
    size_t used = 0;
    if (limit > sizeof(distances) / sizeof(distances[0]))
        limit = sizeof(distances) / sizeof(distances[0]);
    for (size_t i = 0; i < count; i++) {
        double distance =
            geometry_distance_km(latitude, longitude, points[i].latitude, points[i].longitude);
        bool is_full = used == limit;
        if (!(distance <= radius_km) || (is_full && (!used || distance >= distances[used - 1])))
            continue;
        size_t place = is_full ? used - 1 : used++;
        for (; place > 0 && distances[place - 1] > distance; place--) {
            distances[place] = distances[place - 1];
            nearest_p[place] = nearest_p[place - 1];
        }
        distances[place] = distance;
        nearest_p[place] = &points[i];
    }
    return used;
}
