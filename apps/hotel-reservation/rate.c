/* rate - what hotels charge: from memcached, and from the database on a miss. */
#include "apps/common/app.h"
#include "apps/common/rpc.h"
#include "apps/hotel-reservation/database.h"
#include "apps/hotel-reservation/hotels.h"
#include "apps/hotel-reservation/ids.h"
#include "apps/hotel-reservation/lookaside.h"
#include "base/auto.h"
#include "base/mem.h"

static const char *const collection = "rate-db.inventory";

typedef struct rate {
    store_t *store;
    cache_t *cache;
    lookaside_t plans;
} rate_t;

static double total_rate(const json_t *plan)
{
    return json_number_value(json_object_get(json_object_get(plan, "roomType"), "totalRate"));
}

/* The dearest first; equals keep their order. */
static void insert_plan(json_t *plans, json_t *plan)
{
    size_t place = json_array_size(plans);
    while (place > 0 && total_rate(json_array_get(plans, place - 1)) < total_rate(plan))
        place--;
    json_array_insert(plans, place, plan);
}

static int get_rates(
    void *arg, const span_t *span, const json_t *request, json_t **reply_p, err_t *err)
{
    const rate_t *self = arg;
    ids_t ids;
    int rc = ids_read(request, "hotelIds", &ids, err);
    if (rc < 0)
        return rc;
    json_auto_t *found = json_object();
    rc = lookaside_find(&self->plans, span, ids.list, ids.count, found, err);
    if (rc < 0)
        return rc;
    json_t *plans = json_array();
    for (size_t i = 0; i < ids.count; i++) {
        json_t *plan = json_object_get(found, ids.list[i]);
        if (json_is_object(plan))
            insert_plan(plans, plan);
    }
    *reply_p = json_pack("{so}", "ratePlans", plans);
    return 0;
}

static int fill(const rate_t *self, err_t *err)
{
    json_auto_t *plans = json_object();
    for (int i = 1; i <= HOTEL_COUNT; i++) {
        char id[8];
        snprintf(id, sizeof(id), "%d", i);
        json_t *plan = hotels_rate_plan(i);
        if (plan)
            json_object_set_new(plans, id, plan);
    }
    return database_fill(self->store, collection, plans, err);
}

static void rate_close(void **self_p)
{
    rate_t *self = *self_p;
    cache_destroy(&self->cache);
    store_destroy(&self->store);
    free(self);
    *self_p = NULL;
}

static void *rate_open(app_t *app, err_t *err)
{
    rate_t *self = xcalloc(1, sizeof(*self));
    self->store = database_open(app, "rate", "mongodb-rate:6379", err);
    self->cache = cache_new(app, app_setting("MEMCACHED_RATE_ADDRESS", "memcached-rate:11211"));
    self->plans = (lookaside_t){.app = app,
        .cache = self->cache,
        .store = self->store,
        .collection = collection,
        .cache_suffix = "",
        .cache_span = "memcached_get_multi_rate",
        .store_span = "mongo_rate",
        .absent = "null"};
    void *opened = self;
    if (!self->store || fill(self, err) < 0)
        rate_close(&opened);
    return opened;
}

int main(void)
{
    static const web_route_t routes[] = {{"POST", "/rate.Rate/GetRates", rpc_answer, get_rates}};
    static const app_spec_t spec = {.name = "rate",
        .port = 8084,
        .open = rate_open,
        .close = rate_close,
        .routes = routes,
        .route_count = ARRAY_SIZE(routes)};
    return app_main(&spec);
}
