/* recommendation - the nearest, the best rated or the cheapest hotels. Reads its database at the
 * start, and never again. */
#include "apps/common/app.h"
#include "apps/common/console.h"
#include "apps/common/rpc.h"
#include "apps/hotel-reservation/database.h"
#include "apps/hotel-reservation/geometry.h"
#include "apps/hotel-reservation/hotels.h"
#include "base/auto.h"
#include "base/mem.h"

#include <math.h>

static const char *const collection = "recommendation-db.recommendation";

typedef struct hotel {
    char id[8];
    double latitude, longitude, rate, price;
} hotel_t;

typedef struct recommendation {
    hotel_t *hotels;
    size_t count;
} recommendation_t;

typedef struct wish {
    double latitude, longitude;
} wish_t;

/* How little a hotel is what was asked for: the smaller the better. */
typedef double(badness_fn)(const hotel_t *hotel, const wish_t *wish);

static double distance(const hotel_t *hotel, const wish_t *wish)
{
    return geometry_distance_km(wish->latitude, wish->longitude, hotel->latitude, hotel->longitude);
}

static double minus_rate(const hotel_t *hotel, const wish_t *wish)
{
    (void)wish;
    return -hotel->rate;
}

static double price(const hotel_t *hotel, const wish_t *wish)
{
    (void)wish;
    return hotel->price;
}

static badness_fn *find_badness(const char *require)
{
    static const struct {
        const char *name;
        badness_fn *badness;
    } table[] = {{"dis", distance}, {"price", price}, {"rate", minus_rate}};
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (strcmp(table[i].name, require) == 0)
            return table[i].badness;
    }
    return NULL;
}

/* All that share the best value, as the original answers. */
static json_t *choose(const recommendation_t *self, badness_fn *badness, const wish_t *wish)
{
    double best = INFINITY;
    for (size_t i = 0; i < self->count; i++)
        best = fmin(best, badness(&self->hotels[i], wish));
    json_t *ids = json_array();
    for (size_t i = 0; i < self->count; i++) {
        if (badness(&self->hotels[i], wish) <= best)
            json_array_append_new(ids, json_string(self->hotels[i].id));
    }
    return ids;
}

static int get_recommendations(
    void *arg, const span_t *span, const json_t *request, json_t **reply_p, err_t *err)
{
    (void)span;
    wish_t wish = {0};
    const char *require = NULL;
    if (json_unpack((json_t *)request, "{ss, sF, sF}", "require", &require, "lat", &wish.latitude,
            "lon", &wish.longitude)
        < 0)
        return err_set(err, ERR_INVALID, "'require', 'lat' and 'lon' are needed");
    badness_fn *badness = find_badness(require);
    if (!badness)
        return err_set(err, ERR_INVALID, "wrong require parameter '%s'", require);
    *reply_p = json_pack("{so}", "hotelIds", choose(arg, badness, &wish));
    return 0;
}

static int on_hotel(void *arg, const char *id, const json_t *document, err_t *err)
{
    recommendation_t *self = arg;
    hotel_t hotel = {0};
    snprintf(hotel.id, sizeof(hotel.id), "%s", id);
    if (json_unpack((json_t *)document, "{sF, sF, sF, sF}", "lat", &hotel.latitude, "lon",
            &hotel.longitude, "rate", &hotel.rate, "price", &hotel.price)
        < 0)
        return err_set(err, ERR_IO, "recommendation '%s' is incomplete", id);
    self->hotels = mem_check(realloc(self->hotels, (self->count + 1) * sizeof(hotel)));
    self->hotels[self->count++] = hotel;
    return 0;
}

/* Databases give documents in no order; answers should not depend on it. */
static int compare_ids(const void *a, const void *b)
{
    return strverscmp(((const hotel_t *)a)->id, ((const hotel_t *)b)->id);
}

static int load(recommendation_t *self, app_t *app, err_t *err)
{
    AUTO(store_destroy)
    store_t *store = database_open(app, "recommendation", "mongodb-recommendation:6379", err);
    if (!store)
        return -ERR_UNAVAILABLE;
    json_auto_t *hotels = json_object();
    for (int i = 1; i <= HOTEL_COUNT; i++) {
        char id[8];
        snprintf(id, sizeof(id), "%d", i);
        json_object_set_new(hotels, id, hotels_recommendation(i));
    }
    int rc = database_fill(store, collection, hotels, err);
    if (rc == 0)
        rc = database_read(store, collection, on_hotel, self, err);
    qsort(self->hotels, self->count, sizeof(*self->hotels), compare_ids);
    if (rc == 0)
        console_info("Read %zu recommendations", self->count);
    return rc;
}

static void recommendation_close(void **self_p)
{
    recommendation_t *self = *self_p;
    free(self->hotels);
    free(self);
    *self_p = NULL;
}

static void *recommendation_open(app_t *app, err_t *err)
{
    void *self = xcalloc(1, sizeof(recommendation_t));
    if (load(self, app, err) < 0)
        recommendation_close(&self);
    return self;
}

int main(void)
{
    static const web_route_t routes[] = {{"POST",
        "/recommendation.Recommendation/GetRecommendations", rpc_answer, get_recommendations}};
    static const app_spec_t spec = {.name = "recommendation",
        .port = 8085,
        .open = recommendation_open,
        .close = recommendation_close,
        .routes = routes,
        .route_count = ARRAY_SIZE(routes)};
    return app_main(&spec);
}
