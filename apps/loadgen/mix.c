#include "apps/loadgen/mix.h"

#include "base/auto.h"
#include "base/nearest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct share {
    double weight; /* all of a mix add up to 1 */
    void (*draw)(random_t *random, mix_request_t *request_p);
} share_t;

struct mix {
    const char *name;
    const share_t *shares;
    size_t share_count;
};

/* ---- Hotel Reservation: the values of DeathStarBench's mixed-workload_type_1.lua --------------
 */

/* "inDate=2015-04-09&outDate=2015-04-24" */
static void draw_dates(random_t *random, char text_p[64])
{
    int in_day = random_between(random, 9, 23);
    int out_day = random_between(random, in_day + 1, 24);
    snprintf(text_p, 64, "inDate=2015-04-%02d&outDate=2015-04-%02d", in_day, out_day);
}

/* "lat=38.0235&lon=-122.095" */
static void draw_place(random_t *random, char text_p[64])
{
    double latitude = 38.0235 + (random_between(random, 0, 481) - 240.5) / 1000;
    double longitude = -122.095 + (random_between(random, 0, 325) - 157.0) / 1000;
    snprintf(text_p, 64, "lat=%.4f&lon=%.3f", latitude, longitude);
}

/* The password of user n is n ten times. */
static void draw_login(random_t *random, int *user_p, char text_p[96])
{
    *user_p = random_between(random, 0, 500);
    size_t used = (size_t)snprintf(text_p, 96, "username=Cornell_%d&password=", *user_p);
    for (int i = 0; i < 10; i++)
        used += (size_t)snprintf(text_p + used, 96 - used, "%d", *user_p);
}

static void draw_hotels(random_t *random, mix_request_t *request_p)
{
    char dates[64];
    char place[64];
    draw_dates(random, dates);
    draw_place(random, place);
    request_p->method = "GET";
    snprintf(request_p->path, MIX_PATH_SIZE, "/hotels?%s&%s", dates, place);
}

static void draw_recommendations(random_t *random, mix_request_t *request_p)
{
    char place[64];
    double coin = random_real(random);
    draw_place(random, place);
    request_p->method = "GET";
    snprintf(request_p->path, MIX_PATH_SIZE, "/recommendations?require=%s&%s",
        coin < 0.33   ? "dis"
        : coin < 0.66 ? "rate"
                      : "price",
        place);
}

static void draw_user(random_t *random, mix_request_t *request_p)
{
    char login[96];
    int user = 0;
    draw_login(random, &user, login);
    request_p->method = "POST";
    snprintf(request_p->path, MIX_PATH_SIZE, "/user?%s", login);
}

static void draw_reservation(random_t *random, mix_request_t *request_p)
{
    char dates[64];
    char place[64];
    char login[96];
    int user = 0;
    draw_dates(random, dates);
    draw_place(random, place);
    int hotel = random_between(random, 1, 80);
    draw_login(random, &user, login);
    request_p->method = "POST";
    snprintf(request_p->path, MIX_PATH_SIZE,
        "/reservation?%s&%s&hotelId=%d&customerName=Cornell_%d&%s&number=1", dates, place, hotel,
        user, login);
}

static const share_t mixed_workload_type_1[] = {
    {0.6, draw_hotels},
    {0.39, draw_recommendations},
    {0.005, draw_user},
    {0.005, draw_reservation},
};

/* ---- the table ------------------------------------------------------------------------------ */

static void draw_root(random_t *random, mix_request_t *request_p)
{
    (void)random;
    request_p->method = "GET";
    snprintf(request_p->path, MIX_PATH_SIZE, "/");
}

static const share_t root[] = {{1, draw_root}};

static const mix_t mixes[] = {
    {"mixed-workload_type_1", mixed_workload_type_1, ARRAY_SIZE(mixed_workload_type_1)},
    {"root", root, ARRAY_SIZE(root)},
};

const mix_t *mix_find(const char *name, err_t *err)
{
    const char *names[ARRAY_SIZE(mixes)];
    for (size_t i = 0; i < ARRAY_SIZE(mixes); i++) {
        names[i] = mixes[i].name;
        if (strcmp(mixes[i].name, name) == 0)
            return &mixes[i];
    }
    AUTO_FREE char *hint = nearest_hint(name, names, ARRAY_SIZE(names));
    err_set(err, ERR_NOT_FOUND, "there is no mix '%s'; %s", name,
        *hint ? hint : "there are 'mixed-workload_type_1' and 'root'");
    return NULL;
}

void mix_draw(const mix_t *self, random_t *random, mix_request_t *request_p)
{
    double coin = random_real(random);
    size_t i = 0;
    while (i + 1 < self->share_count && coin >= self->shares[i].weight)
        coin -= self->shares[i++].weight;
    self->shares[i].draw(random, request_p);
}
