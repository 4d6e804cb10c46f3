/* frontend - the application's face: HTTP for browsers and load generators, calls to the others
 * behind it. */
#include "apps/common/app.h"
#include "apps/common/console.h"
#include "apps/common/rpc.h"
#include "base/auto.h"
#include "base/mem.h"
#include "base/number.h"

#include <math.h>

typedef struct frontend {
    rpc_t *search;
    rpc_t *profile;
    rpc_t *recommendation;
    rpc_t *user;
    rpc_t *reservation;
} frontend_t;

/* ---- parameters ----------------------------------------------------------------------------- */

/* Answers 400 with what is wrong; false, so that it can be returned. */
static bool refuse(web_reply_t *reply, const char *text)
{
    web_reply_text(reply, 400, text);
    return false;
}

/* The value, or "" */
static const char *query(const web_request_t *request, const char *name)
{
    const char *value = web_query(request, name);
    return value ? value : "";
}

static bool read_dates(const web_request_t *request, web_reply_t *reply)
{
    if (*query(request, "inDate") && *query(request, "outDate"))
        return true;
    return refuse(reply, "Please specify inDate/outDate params");
}

static bool read_number(const char *text, double *number_p)
{
    char *end = NULL;
    *number_p = strtod(text, &end);
    return *text && !*end && isfinite(*number_p);
}

static bool read_location(
    const web_request_t *request, double *latitude_p, double *longitude_p, web_reply_t *reply)
{
    if (read_number(query(request, "lat"), latitude_p)
        && read_number(query(request, "lon"), longitude_p))
        return true;
    return refuse(reply, "Please specify location params");
}

/* ---- answers -------------------------------------------------------------------------------- */

/* What a service could not do is a 500 to the user, as in the original; but his own mistakes are
 * his. */
static void reply_error(const web_request_t *request, web_reply_t *reply, const err_t *err)
{
    int status = err->code == ERR_INVALID ? 400 : 500;
    console_error("%s %s: %d %s", request->method, request->path, status, err->text);
    span_fail(request->span, err->text);
    web_reply_text(reply, status, err->text);
}

static void reply_message(web_reply_t *reply, const char *message)
{
    web_reply_json(reply, 200, json_pack("{ss}", "message", message));
}

static json_t *make_feature(json_t *hotel)
{
    json_t *address = json_object_get(hotel, "address");
    return json_pack("{ss, sO?, s{sO?, sO?}, s{ss, s[O?, O?]}}", "type", "Feature", "id",
        json_object_get(hotel, "id"), "properties", "name", json_object_get(hotel, "name"),
        "phone_number", json_object_get(hotel, "phoneNumber"), "geometry", "type", "Point",
        "coordinates", json_object_get(address, "lon"), json_object_get(address, "lat"));
}

/* The profiles of the hotels as GeoJSON. */
static int get_features(const frontend_t *self, const web_request_t *request, json_t *ids,
    json_t **features_p, err_t *err)
{
    const char *locale = query(request, "locale");
    json_t *question = json_pack("{sO?, ss}", "hotelIds", ids, "locale", *locale ? locale : "en");
    json_auto_t *profiles = NULL;
    int rc = rpc_call(
        self->profile, request->span, "/profile.Profile/GetProfiles", question, &profiles, err);
    if (rc < 0)
        return rc;
    json_t *features = json_array();
    size_t i = 0;
    json_t *hotel = NULL;
    json_array_foreach(json_object_get(profiles, "hotels"), i, hotel)
        json_array_append_new(features, make_feature(hotel));
    *features_p = json_pack("{ss, so}", "type", "FeatureCollection", "features", features);
    return 0;
}

/* ---- /hotels -------------------------------------------------------------------------------- */

static int find_free(const frontend_t *self, const web_request_t *request, double latitude,
    double longitude, json_t **free_p, err_t *err)
{
    const char *in_date = query(request, "inDate");
    const char *out_date = query(request, "outDate");
    json_auto_t *near = NULL;
    json_t *where = json_pack("{sf, sf, ss, ss}", "lat", latitude, "lon", longitude, "inDate",
        in_date, "outDate", out_date);
    int rc = rpc_call(self->search, request->span, "/search.Search/Nearby", where, &near, err);
    if (rc < 0)
        return rc;
    json_t *question = json_pack("{ss, sO?, ss, ss, si}", "customerName", "", "hotelId",
        json_object_get(near, "hotelIds"), "inDate", in_date, "outDate", out_date, "roomNumber", 1);
    return rpc_call(self->reservation, request->span, "/reservation.Reservation/CheckAvailability",
        question, free_p, err);
}

static void on_hotels(void *arg, const web_request_t *request, web_reply_t *reply)
{
    const frontend_t *self = arg;
    double latitude = 0;
    double longitude = 0;
    if (!read_dates(request, reply) || !read_location(request, &latitude, &longitude, reply))
        return;
    err_t err = {0};
    json_auto_t *free_hotels = NULL;
    json_t *features = NULL;
    int rc = find_free(self, request, latitude, longitude, &free_hotels, &err);
    if (rc == 0)
        rc = get_features(self, request, json_object_get(free_hotels, "hotelId"), &features, &err);
    if (rc < 0)
        reply_error(request, reply, &err);
    else
        web_reply_json(reply, 200, features);
}

/* ---- /recommendations ----------------------------------------------------------------------- */

static bool read_require(const web_request_t *request, web_reply_t *reply)
{
    const char *require = query(request, "require");
    if (strcmp(require, "dis") == 0 || strcmp(require, "rate") == 0
        || strcmp(require, "price") == 0)
        return true;
    return refuse(reply, "Please specify require params");
}

static void on_recommendations(void *arg, const web_request_t *request, web_reply_t *reply)
{
    const frontend_t *self = arg;
    double latitude = 0;
    double longitude = 0;
    if (strcmp(app_setting("FEATURE_RECOMMENDATIONS", "on"), "on") != 0) {
        web_reply_text(reply, 503, "recommendations are switched off");
        return;
    }
    if (!read_location(request, &latitude, &longitude, reply) || !read_require(request, reply))
        return;
    err_t err = {0};
    json_auto_t *chosen = NULL;
    json_t *features = NULL;
    json_t *question = json_pack(
        "{ss, sf, sf}", "require", query(request, "require"), "lat", latitude, "lon", longitude);
    int rc = rpc_call(self->recommendation, request->span,
        "/recommendation.Recommendation/GetRecommendations", question, &chosen, &err);
    if (rc == 0)
        rc = get_features(self, request, json_object_get(chosen, "hotelIds"), &features, &err);
    if (rc < 0)
        reply_error(request, reply, &err);
    else
        web_reply_json(reply, 200, features);
}

/* ---- /user and /reservation ----------------------------------------------------------------- */

static bool read_login(const web_request_t *request, web_reply_t *reply)
{
    if (*query(request, "username") && *query(request, "password"))
        return true;
    return refuse(reply, "Please specify username and password");
}

static int check_login(
    const frontend_t *self, const web_request_t *request, bool *is_correct_p, err_t *err)
{
    json_auto_t *answer = NULL;
    json_t *question = json_pack(
        "{ss, ss}", "username", query(request, "username"), "password", query(request, "password"));
    int rc = rpc_call(self->user, request->span, "/user.User/CheckUser", question, &answer, err);
    if (rc == 0)
        *is_correct_p = json_is_true(json_object_get(answer, "correct"));
    return rc;
}

static void on_user(void *arg, const web_request_t *request, web_reply_t *reply)
{
    if (!read_login(request, reply))
        return;
    err_t err = {0};
    bool is_correct = false;
    if (check_login(arg, request, &is_correct, &err) < 0)
        reply_error(request, reply, &err);
    else
        reply_message(reply, is_correct ? "Login successfully!"
                                        : "Failed. Please check your username and password. ");
}

static bool read_booking(const web_request_t *request, web_reply_t *reply)
{
    if (!read_dates(request, reply))
        return false;
    if (!*query(request, "hotelId"))
        return refuse(reply, "Please specify hotelId params");
    if (!*query(request, "customerName"))
        return refuse(reply, "Please specify customerName params");
    return read_login(request, reply);
}

static int reserve(
    const frontend_t *self, const web_request_t *request, bool *is_reserved_p, err_t *err)
{
    json_auto_t *answer = NULL;
    json_t *question = json_pack("{ss, s[s], ss, ss, si}", "customerName",
        query(request, "customerName"), "hotelId", query(request, "hotelId"), "inDate",
        query(request, "inDate"), "outDate", query(request, "outDate"), "roomNumber",
        (int)number_or(query(request, "number"), INT32_MIN, INT32_MAX, 0));
    int rc = rpc_call(self->reservation, request->span, "/reservation.Reservation/MakeReservation",
        question, &answer, err);
    if (rc == 0)
        *is_reserved_p = json_array_size(json_object_get(answer, "hotelId")) > 0;
    return rc;
}

static void on_reservation(void *arg, const web_request_t *request, web_reply_t *reply)
{
    if (!read_booking(request, reply))
        return;
    err_t err = {0};
    bool is_correct = false;
    bool is_reserved = false;
    int rc = check_login(arg, request, &is_correct, &err);
    if (rc == 0 && is_correct)
        rc = reserve(arg, request, &is_reserved, &err);
    if (rc < 0)
        reply_error(request, reply, &err);
    else if (!is_correct)
        reply_message(reply, "Failed. Please check your username and password. ");
    else
        reply_message(reply, is_reserved ? "Reserve successfully!" : "Failed. Already reserved. ");
}

static void on_index(void *arg, const web_request_t *request, web_reply_t *reply)
{
    (void)arg;
    (void)request;
    web_reply_text(reply, 200, "Hotel Reservation: /hotels /recommendations /user /reservation");
}

/* ---- life cycle ----------------------------------------------------------------------------- */

static void frontend_close(void **self_p)
{
    frontend_t *self = *self_p;
    rpc_destroy(&self->search);
    rpc_destroy(&self->profile);
    rpc_destroy(&self->recommendation);
    rpc_destroy(&self->user);
    rpc_destroy(&self->reservation);
    free(self);
    *self_p = NULL;
}

static void *frontend_open(app_t *app, err_t *err)
{
    (void)err;
    frontend_t *self = xcalloc(1, sizeof(*self));
    self->search = rpc_new(app, "search", app_setting("SEARCH_ADDRESS", "search:8082"));
    self->profile = rpc_new(app, "profile", app_setting("PROFILE_ADDRESS", "profile:8081"));
    self->recommendation = rpc_new(
        app, "recommendation", app_setting("RECOMMENDATION_ADDRESS", "recommendation:8085"));
    self->user = rpc_new(app, "user", app_setting("USER_ADDRESS", "user:8086"));
    self->reservation =
        rpc_new(app, "reservation", app_setting("RESERVATION_ADDRESS", "reservation:8087"));
    return self;
}

int main(void)
{
    static const web_route_t routes[] = {
        {"*", "/hotels", on_hotels, NULL},
        {"*", "/recommendations", on_recommendations, NULL},
        {"*", "/user", on_user, NULL},
        {"*", "/reservation", on_reservation, NULL},
        {"GET", "/", on_index, NULL},
    };
    static const app_spec_t spec = {.name = "frontend",
        .port = 5000,
        .open = frontend_open,
        .close = frontend_close,
        .routes = routes,
        .route_count = ARRAY_SIZE(routes)};
    return app_main(&spec);
}
