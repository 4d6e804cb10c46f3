/* search - the hotels near a point that have a rate: asks geo, then rate. */
#include "apps/common/app.h"
#include "apps/common/rpc.h"
#include "base/auto.h"
#include "base/mem.h"

typedef struct search {
    rpc_t *geo;
    rpc_t *rate;
} search_t;

static int ask_rates(const search_t *self, const span_t *span, const json_t *request, json_t *near,
    json_t **rates_p, err_t *err)
{
    json_t *question =
        json_pack("{sO, sO?, sO?}", "hotelIds", json_object_get(near, "hotelIds"), "inDate",
            json_object_get(request, "inDate"), "outDate", json_object_get(request, "outDate"));
    if (!question)
        return err_set(err, ERR_IO, "geo answered without 'hotelIds'");
    return rpc_call(self->rate, span, "/rate.Rate/GetRates", question, rates_p, err);
}

static int nearby(
    void *arg, const span_t *span, const json_t *request, json_t **reply_p, err_t *err)
{
    const search_t *self = arg;
    json_t *where = json_pack(
        "{sO, sO}", "lat", json_object_get(request, "lat"), "lon", json_object_get(request, "lon"));
    if (!where)
        return err_set(err, ERR_INVALID, "'lat' and 'lon' are needed");
    json_auto_t *near = NULL;
    int rc = rpc_call(self->geo, span, "/geo.Geo/Nearby", where, &near, err);
    if (rc < 0)
        return err_wrap(err, "nearby error");
    json_auto_t *rates = NULL;
    rc = ask_rates(self, span, request, near, &rates, err);
    if (rc < 0)
        return err_wrap(err, "get rates error");

    json_t *ids = json_array();
    size_t i = 0;
    json_t *plan = NULL;
    json_array_foreach(json_object_get(rates, "ratePlans"), i, plan)
        json_array_append(ids, json_object_get(plan, "hotelId"));
    *reply_p = json_pack("{so}", "hotelIds", ids);
    return 0;
}

static void search_close(void **self_p)
{
    search_t *self = *self_p;
    rpc_destroy(&self->geo);
    rpc_destroy(&self->rate);
    free(self);
    *self_p = NULL;
}

static void *search_open(app_t *app, err_t *err)
{
    (void)err;
    search_t *self = xcalloc(1, sizeof(*self));
    self->geo = rpc_new(app, "geo", app_setting("GEO_ADDRESS", "geo:8083"));
    self->rate = rpc_new(app, "rate", app_setting("RATE_ADDRESS", "rate:8084"));
    return self;
}

int main(void)
{
    static const web_route_t routes[] = {{"POST", "/search.Search/Nearby", rpc_answer, nearby}};
    static const app_spec_t spec = {.name = "search",
        .port = 8082,
        .open = search_open,
        .close = search_close,
        .routes = routes,
        .route_count = ARRAY_SIZE(routes)};
    return app_main(&spec);
}
