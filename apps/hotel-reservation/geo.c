/* geo - which hotels are near a point. Reads its database at the start, and never again. */
#include "apps/common/app.h"
#include "apps/common/console.h"
#include "apps/common/rpc.h"
#include "apps/hotel-reservation/database.h"
#include "apps/hotel-reservation/geometry.h"
#include "apps/hotel-reservation/hotels.h"
#include "base/auto.h"
#include "base/mem.h"

/* The build behind the image geo:app3 is given a port where no database listens. */
#ifndef GEO_STORE_ADDRESS
#define GEO_STORE_ADDRESS "mongodb-geo:6379"
#endif

enum { MAX_SEARCH_RESULTS = 5 };

static const double max_search_radius_km = 10;
static const char *const collection = "geo-db.geo";

typedef struct geo {
    point_t *points;
    size_t count;
} geo_t;

static int nearby(
    void *arg, const span_t *span, const json_t *request, json_t **reply_p, err_t *err)
{
    (void)span;
    const geo_t *self = arg;
    double latitude = 0;
    double longitude = 0;
    if (json_unpack((json_t *)request, "{sF, sF}", "lat", &latitude, "lon", &longitude) < 0)
        return err_set(err, ERR_INVALID, "'lat' and 'lon' must be numbers");
    const point_t *nearest[MAX_SEARCH_RESULTS];
    size_t count = geometry_nearest(self->points, self->count, latitude, longitude,
        max_search_radius_km, nearest, MAX_SEARCH_RESULTS);
    json_t *ids = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(ids, json_string(nearest[i]->id));
    *reply_p = json_pack("{so}", "hotelIds", ids);
    return 0;
}

static int on_point(void *arg, const char *id, const json_t *document, err_t *err)
{
    geo_t *self = arg;
    point_t point = {0};
    snprintf(point.id, sizeof(point.id), "%s", id);
    if (json_unpack((json_t *)document, "{sF, sF}", "lat", &point.latitude, "lon", &point.longitude)
        < 0)
        return err_set(err, ERR_IO, "point '%s' has no 'lat' and 'lon'", id);
    self->points = mem_check(realloc(self->points, (self->count + 1) * sizeof(point)));
    self->points[self->count++] = point;
    return 0;
}

/* Databases give documents in no order; answers should not depend on it. */
static int compare_ids(const void *a, const void *b)
{
    return strverscmp(((const point_t *)a)->id, ((const point_t *)b)->id);
}

static int load(geo_t *self, app_t *app, err_t *err)
{
    AUTO(store_destroy) store_t *store = database_open(app, "geo", GEO_STORE_ADDRESS, err);
    if (!store)
        return -ERR_UNAVAILABLE;
    json_auto_t *points = json_object();
    for (int i = 1; i <= HOTEL_COUNT; i++) {
        char id[8];
        snprintf(id, sizeof(id), "%d", i);
        json_object_set_new(points, id, hotels_point(i));
    }
    int rc = database_fill(store, collection, points, err);
    if (rc == 0)
        rc = database_read(store, collection, on_point, self, err);
    qsort(self->points, self->count, sizeof(*self->points), compare_ids);
    if (rc == 0)
        console_info("Read %zu points", self->count);
    return rc;
}

static void geo_close(void **self_p)
{
    geo_t *self = *self_p;
    free(self->points);
    free(self);
    *self_p = NULL;
}

static void *geo_open(app_t *app, err_t *err)
{
    void *self = xcalloc(1, sizeof(geo_t));
    if (load(self, app, err) < 0)
        geo_close(&self);
    return self;
}

int main(void)
{
    static const web_route_t routes[] = {{"POST", "/geo.Geo/Nearby", rpc_answer, nearby}};
    static const app_spec_t spec = {.name = "geo",
        .port = 8083,
        .open = geo_open,
        .close = geo_close,
        .routes = routes,
        .route_count = ARRAY_SIZE(routes)};
    return app_main(&spec);
}
