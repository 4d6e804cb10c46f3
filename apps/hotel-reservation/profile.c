/* profile - what hotels are called and where they are: from memcached, and from the database on a
 * miss. */
#include "apps/common/app.h"
#include "apps/common/rpc.h"
#include "apps/hotel-reservation/database.h"
#include "apps/hotel-reservation/hotels.h"
#include "apps/hotel-reservation/ids.h"
#include "apps/hotel-reservation/lookaside.h"
#include "base/auto.h"
#include "base/mem.h"

static const char *const collection = "profile-db.hotels";

typedef struct profile {
    store_t *store;
    cache_t *cache;
    lookaside_t hotels;
} profile_t;

static int get_profiles(
    void *arg, const span_t *span, const json_t *request, json_t **reply_p, err_t *err)
{
    const profile_t *self = arg;
    ids_t ids;
    int rc = ids_read(request, "hotelIds", &ids, err);
    if (rc < 0)
        return rc;
    json_auto_t *found = json_object();
    rc = lookaside_find(&self->hotels, span, ids.list, ids.count, found, err);
    if (rc < 0)
        return rc;
    json_t *hotels = json_array();
    for (size_t i = 0; i < ids.count; i++) {
        json_t *hotel = json_object_get(found, ids.list[i]);
        if (hotel)
            json_array_append(hotels, hotel);
    }
    *reply_p = json_pack("{so}", "hotels", hotels);
    return 0;
}

static int fill(const profile_t *self, err_t *err)
{
    json_auto_t *hotels = json_object();
    for (int i = 1; i <= HOTEL_COUNT; i++) {
        char id[8];
        snprintf(id, sizeof(id), "%d", i);
        json_object_set_new(hotels, id, hotels_profile(i));
    }
    return database_fill(self->store, collection, hotels, err);
}

static void profile_close(void **self_p)
{
    profile_t *self = *self_p;
    cache_destroy(&self->cache);
    store_destroy(&self->store);
    free(self);
    *self_p = NULL;
}

static void *profile_open(app_t *app, err_t *err)
{
    profile_t *self = xcalloc(1, sizeof(*self));
    self->store = database_open(app, "profile", "mongodb-profile:6379", err);
    self->cache =
        cache_new(app, app_setting("MEMCACHED_PROFILE_ADDRESS", "memcached-profile:11211"));
    self->hotels = (lookaside_t){.app = app,
        .cache = self->cache,
        .store = self->store,
        .collection = collection,
        .cache_suffix = "",
        .cache_span = "memcached_get_profile",
        .store_span = "mongo_profile"};
    void *opened = self;
    if (!self->store || fill(self, err) < 0)
        profile_close(&opened);
    return opened;
}

int main(void)
{
    static const web_route_t routes[] = {
        {"POST", "/profile.Profile/GetProfiles", rpc_answer, get_profiles}};
    static const app_spec_t spec = {.name = "profile",
        .port = 8081,
        .open = profile_open,
        .close = profile_close,
        .routes = routes,
        .route_count = ARRAY_SIZE(routes)};
    return app_main(&spec);
}
