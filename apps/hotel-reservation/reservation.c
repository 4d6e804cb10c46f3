/* reservation - how many rooms are taken on which night, and taking more. Counts come from
 * memcached, and from the database on a miss. */
#include "apps/common/app.h"
#include "apps/common/console.h"
#include "apps/common/rpc.h"
#include "apps/hotel-reservation/database.h"
#include "apps/hotel-reservation/hotels.h"
#include "apps/hotel-reservation/ids.h"
#include "apps/hotel-reservation/lookaside.h"
#include "apps/hotel-reservation/stay.h"
#include "base/auto.h"
#include "base/mem.h"

enum { NIGHT_ID_SIZE = 96 };

/* Rooms a hotel has; rooms taken, by night; and who took them, one document each. */
static const char *const capacities = "reservation-db.number";
static const char *const counts = "reservation-db.reservation";
static const char *const bookings = "reservation-db.bookings";

typedef struct reservation {
    app_t *app; /* borrowed */
    store_t *store;
    cache_t *cache;
    lookaside_t capacity;
    lookaside_t taken;
} reservation_t;

/* What both calls are asked with. */
typedef struct wish {
    ids_t hotels;
    stay_t stay;
    int rooms;
    const char *customer;
} wish_t;

static int read_wish(const json_t *request, wish_t *wish_p, err_t *err)
{
    const char *in_date = json_string_value(json_object_get(request, "inDate"));
    const char *out_date = json_string_value(json_object_get(request, "outDate"));
    wish_p->rooms = (int)json_integer_value(json_object_get(request, "roomNumber"));
    wish_p->customer = json_string_value(json_object_get(request, "customerName"));
    if (wish_p->rooms < 0 || wish_p->rooms > 1000)
        return err_set(err, ERR_INVALID, "'roomNumber' must be 0 to 1000");
    int rc = ids_read(request, "hotelId", &wish_p->hotels, err);
    return rc < 0 ? rc : stay_parse(in_date, out_date, &wish_p->stay, err);
}

/* "4_2015-04-09_2015-04-10" */
static void write_night_id(const char *hotel, const stay_t *stay, size_t night, char id_p[])
{
    snprintf(id_p, NIGHT_ID_SIZE, "%s_%s_%s", hotel, stay->dates[night], stay->dates[night + 1]);
}

/* ---- CheckAvailability ---------------------------------------------------------------------- */

static int find_taken(
    const reservation_t *self, const span_t *span, const wish_t *wish, json_t *taken, err_t *err)
{
    size_t night_count = wish->stay.night_count;
    size_t count = wish->hotels.count * night_count;
    AUTO_FREE char(*texts)[NIGHT_ID_SIZE] = xcalloc(count + 1, sizeof(*texts));
    AUTO_FREE const char **ids = xcalloc(count + 1, sizeof(*ids));
    for (size_t i = 0; i < count; i++) {
        write_night_id(wish->hotels.list[i / night_count], &wish->stay, i % night_count, texts[i]);
        ids[i] = texts[i];
    }
    return lookaside_find(&self->taken, span, ids, count, taken, err);
}

static bool is_free(const wish_t *wish, const char *hotel, const json_t *taken, json_int_t capacity)
{
    for (size_t night = 0; night < wish->stay.night_count; night++) {
        char id[NIGHT_ID_SIZE];
        write_night_id(hotel, &wish->stay, night, id);
        if (json_integer_value(json_object_get(taken, id)) + wish->rooms > capacity)
            return false;
    }
    return true;
}

static int check_availability(
    void *arg, const span_t *span, const json_t *request, json_t **reply_p, err_t *err)
{
    const reservation_t *self = arg;
    wish_t wish;
    json_auto_t *capacity = json_object();
    json_auto_t *taken = json_object();
    int rc = read_wish(request, &wish, err);
    if (rc == 0)
        rc = lookaside_find(
            &self->capacity, span, wish.hotels.list, wish.hotels.count, capacity, err);
    if (rc == 0)
        rc = find_taken(self, span, &wish, taken, err);
    if (rc < 0)
        return rc;
    json_t *hotels = json_array();
    for (size_t i = 0; i < wish.hotels.count; i++) {
        const char *hotel = wish.hotels.list[i];
        if (is_free(&wish, hotel, taken, json_integer_value(json_object_get(capacity, hotel))))
            json_array_append_new(hotels, json_string(hotel));
    }
    *reply_p = json_pack("{so}", "hotelId", hotels);
    return 0;
}

/* ---- MakeReservation ------------------------------------------------------------------------ */

/* Adds rooms to a night and yields how many are taken then. */
static int add_rooms(
    const reservation_t *self, const char *night, int rooms, json_int_t *taken_p, err_t *err)
{
    AUTO(store_reply_free)
    redisReply *reply = store_run(self->store, err, "HINCRBY %s %s %d", counts, night, rooms);
    if (!reply)
        return err_wrap(err, "cannot count the rooms of %s", night);
    *taken_p = reply->integer;
    return 0;
}

/* The cause of giving back is told already; what cannot be given back now stays taken. */
static void give_back(const reservation_t *self, const wish_t *wish, size_t night_count)
{
    for (size_t night = 0; night < night_count; night++) {
        char id[NIGHT_ID_SIZE];
        json_int_t taken = 0;
        write_night_id(wish->hotels.list[0], &wish->stay, night, id);
        (void)add_rooms(self, id, -wish->rooms, &taken, NULL);
    }
}

static int cache_taken(
    const reservation_t *self, const wish_t *wish, const json_int_t *taken, err_t *err)
{
    int rc = 0;
    for (size_t night = 0; night < wish->stay.night_count && rc == 0; night++) {
        char id[NIGHT_ID_SIZE];
        char text[24];
        write_night_id(wish->hotels.list[0], &wish->stay, night, id);
        int length = snprintf(text, sizeof(text), "%lld", (long long)taken[night]);
        rc = cache_set(self->cache, id, text, (size_t)length, err);
    }
    return rc;
}

/* Takes the rooms night by night, and gives them back if one night is full or something fails:
 * HINCRBY decides between customers who come at once. */
static int take_nights(const reservation_t *self, const wish_t *wish, json_int_t capacity,
    bool *is_taken_p, err_t *err)
{
    json_int_t taken[STAY_NIGHT_LIMIT] = {0};
    size_t counted = 0;
    bool is_full = false;
    int rc = 0;
    while (counted < wish->stay.night_count && !is_full) {
        char id[NIGHT_ID_SIZE];
        write_night_id(wish->hotels.list[0], &wish->stay, counted, id);
        rc = add_rooms(self, id, wish->rooms, &taken[counted], err);
        if (rc < 0)
            break;
        is_full = taken[counted++] > capacity;
    }
    if (rc == 0 && !is_full)
        rc = cache_taken(self, wish, taken, err);
    if (rc < 0 || is_full)
        give_back(self, wish, counted);
    *is_taken_p = rc == 0 && !is_full;
    return rc;
}

static int note_booking(const reservation_t *self, const wish_t *wish, err_t *err)
{
    json_auto_t *document = json_pack("{ss, ss, ss, ss, si}", "hotelId", wish->hotels.list[0],
        "customerName", wish->customer ? wish->customer : "", "inDate", wish->stay.dates[0],
        "outDate", wish->stay.dates[wish->stay.night_count], "number", wish->rooms);
    AUTO_FREE char *text = mem_check(json_dumps(document, JSON_COMPACT));
    AUTO(store_reply_free)
    redisReply *reply = store_run(self->store, err, "RPUSH %s %s", bookings, text);
    return reply ? 0 : err_wrap(err, "cannot note the booking");
}

static int book(const reservation_t *self, const wish_t *wish, json_int_t capacity,
    bool *is_taken_p, err_t *err)
{
    int rc = take_nights(self, wish, capacity, is_taken_p, err);
    return rc == 0 && *is_taken_p ? note_booking(self, wish, err) : rc;
}

static int make_reservation(
    void *arg, const span_t *span, const json_t *request, json_t **reply_p, err_t *err)
{
    const reservation_t *self = arg;
    wish_t wish;
    bool is_taken = false;
    json_auto_t *capacity = json_object();
    int rc = read_wish(request, &wish, err);
    if (rc == 0 && wish.hotels.count != 1)
        rc = err_set(err, ERR_INVALID, "'hotelId' must hold one id");
    if (rc == 0)
        rc = lookaside_find(&self->capacity, span, wish.hotels.list, 1, capacity, err);
    if (rc < 0)
        return rc;

    span_t booking;
    span_begin(
        &booking, self->app->tracer, SPAN_CLIENT, "mongodb_insert_reservation", &span->context);
    span_set(&booking, "db.system", "redis");
    span_set(&booking, "db.collection.name", counts);
    json_int_t rooms = json_integer_value(json_object_get(capacity, wish.hotels.list[0]));
    rc = book(self, &wish, rooms, &is_taken, err);
    if (rc < 0)
        span_fail(&booking, err ? err->text : "");
    span_end(&booking);
    if (rc < 0)
        return rc;
    *reply_p = is_taken ? json_pack("{s[s]}", "hotelId", wish.hotels.list[0])
                        : json_pack("{s[]}", "hotelId");
    return 0;
}

/* ---- life cycle ----------------------------------------------------------------------------- */

/* The one booking of the original's data, unless it is there from an earlier start. */
static int fill_bookings(const reservation_t *self, err_t *err)
{
    AUTO(store_reply_free)
    redisReply *reply =
        store_run(self->store, err, "HSETNX %s %s 1", counts, "4_2015-04-09_2015-04-10");
    if (!reply)
        return err_wrap(err, "cannot insert test data into %s", counts);
    wish_t alice = {.hotels = {.count = 1, .list = {"4"}}, .rooms = 1, .customer = "Alice"};
    (void)stay_parse("2015-04-09", "2015-04-10", &alice.stay, NULL); /* these are dates */
    return reply->integer == 1 ? note_booking(self, &alice, err) : 0;
}

static int fill(const reservation_t *self, err_t *err)
{
    json_auto_t *numbers = json_object();
    for (int i = 1; i <= HOTEL_COUNT; i++) {
        char id[8];
        snprintf(id, sizeof(id), "%d", i);
        json_object_set_new(numbers, id, json_integer(hotels_capacity(i)));
    }
    int rc = database_fill(self->store, capacities, numbers, err);
    return rc < 0 ? rc : fill_bookings(self, err);
}

static void reservation_close(void **self_p)
{
    reservation_t *self = *self_p;
    cache_destroy(&self->cache);
    store_destroy(&self->store);
    free(self);
    *self_p = NULL;
}

static void *reservation_open(app_t *app, err_t *err)
{
    reservation_t *self = xcalloc(1, sizeof(*self));
    self->app = app;
    self->store = database_open(app, "reservation", "mongodb-reservation:6379", err);
    self->cache =
        cache_new(app, app_setting("MEMCACHED_RESERVE_ADDRESS", "memcached-reserve:11211"));
    self->capacity = (lookaside_t){.app = app,
        .cache = self->cache,
        .store = self->store,
        .collection = capacities,
        .cache_suffix = "_cap",
        .cache_span = "memcached_capacity_get_multi_number",
        .store_span = "mongodb_capacity_get_multi_number"};
    self->taken = (lookaside_t){.app = app,
        .cache = self->cache,
        .store = self->store,
        .collection = counts,
        .cache_suffix = "",
        .cache_span = "memcached_reserve_get_multi_number",
        .store_span = "mongodb_reserve_get_multi_number",
        .absent = "0"};
    void *opened = self;
    if (!self->store || fill(self, err) < 0)
        reservation_close(&opened);
    return opened;
}

int main(void)
{
    static const web_route_t routes[] = {
        {"POST", "/reservation.Reservation/CheckAvailability", rpc_answer, check_availability},
        {"POST", "/reservation.Reservation/MakeReservation", rpc_answer, make_reservation}};
    static const app_spec_t spec = {.name = "reservation",
        .port = 8087,
        .open = reservation_open,
        .close = reservation_close,
        .routes = routes,
        .route_count = ARRAY_SIZE(routes)};
    return app_main(&spec);
}
