#include "apps/hotel-reservation/hotels.h"

#include "base/mem.h"

enum { NAMED_COUNT = 6 };

/* The hotels that have a name of their own; all others are branches of the last. */
static const struct {
    const char *name, *phone, *number, *street, *postal_code, *description;
    double latitude, longitude;
    double recommended_rate, recommended_price;
} named[NAMED_COUNT] = {
    {"Clift Hotel", "(415) 775-4700", "495", "Geary St", "94102",
        "A designer's hotel near Union Square, with a Dali table in the lobby.", 37.7867, -122.4112,
        109.00, 150.00},
    {"W San Francisco", "(415) 777-5300", "181", "3rd St", "94103",
        "A modern tower beside the Yerba Buena Center for the Arts.", 37.7854, -122.4005, 139.00,
        120.00},
    {"Hotel Zetta", "(415) 543-8555", "55", "5th St", "94103",
        "Playful rooms, three minutes from the Powell Street cable cars.", 37.7834, -122.4071,
        109.00, 190.00},
    {"Hotel Vitale", "(415) 278-3700", "8", "Mission St", "94105",
        "On the waterfront, with the Bay Bridge in the window.", 37.7936, -122.3930, 129.00,
        160.00},
    {"Phoenix Hotel", "(415) 776-1380", "601", "Eddy St", "94109",
        "A motor lodge of the fifties that musicians stay in.", 37.7831, -122.4181, 119.00, 140.00},
    {"St. Regis San Francisco", "(415) 284-4000", "125", "3rd St", "94109",
        "Forty-two storeys beside the Museum of Modern Art.", 37.7863, -122.4015, 149.00, 200.00},
};

static bool is_named(int i)
{
    return i <= NAMED_COUNT;
}

/* The others lie on a line that leads north-east from the city. */
static double latitude(int i)
{
    return is_named(i) ? named[i - 1].latitude : 37.7835 + i / 500.0 * 3;
}

static double longitude(int i)
{
    return is_named(i) ? named[i - 1].longitude : -122.41 + i / 500.0 * 4;
}

static json_t *make_id(int i)
{
    return json_sprintf("%d", i);
}

json_t *hotels_point(int i)
{
    return mem_check(
        json_pack("{so, sf, sf}", "hotelId", make_id(i), "lat", latitude(i), "lon", longitude(i)));
}

json_t *hotels_profile(int i)
{
    int base = is_named(i) ? i - 1 : NAMED_COUNT - 1;
    json_t *phone =
        is_named(i) ? json_string(named[base].phone) : json_sprintf("(415) 284-40%d", i);
    return mem_check(json_pack("{so, ss, so, ss, s{ss, ss, ss, ss, ss, ss, sf, sf}}", "id",
        make_id(i), "name", named[base].name, "phoneNumber", phone, "description",
        named[base].description, "address", "streetNumber", named[base].number, "streetName",
        named[base].street, "city", "San Francisco", "state", "CA", "country", "United States",
        "postalCode", named[base].postal_code, "lat", latitude(i), "lon", longitude(i)));
}

typedef struct price {
    double rate, inclusive;
} price_t;

/* What every third hotel charges, by its number modulo five. */
static price_t price_of(int i)
{
    static const price_t prices[] = {
        {109.00, 123.17}, {120.00, 140.00}, {124.00, 144.00}, {132.00, 158.00}, {232.00, 258.00}};
    return prices[i % 5];
}

json_t *hotels_recommendation(int i)
{
    price_t price = {135.00, 179.00};
    if (is_named(i))
        price = (price_t){named[i - 1].recommended_rate, named[i - 1].recommended_price};
    else if (i % 3 == 0)
        price = price_of(i);
    return mem_check(json_pack("{so, sf, sf, sf, sf}", "hotelId", make_id(i), "lat", latitude(i),
        "lon", longitude(i), "rate", price.rate, "price", price.inclusive));
}

json_t *hotels_rate_plan(int i)
{
    if (i > 3 && (is_named(i) || i % 3 != 0))
        return NULL;
    bool is_queen = i == 2;
    price_t price = i > 3 ? price_of(i) : (price_t){109.00, 123.17};
    if (is_queen)
        price = (price_t){139.00, 153.09};
    const char *out_date = i <= 3 ? "2015-04-10" : i % 2 == 0 ? "2015-04-17" : "2015-04-24";
    return mem_check(json_pack("{so, ss, ss, ss, s{sf, sf, sf, ss, ss, ss}}", "hotelId", make_id(i),
        "code", "RACK", "inDate", "2015-04-09", "outDate", out_date, "roomType", "bookableRate",
        price.rate, "totalRate", price.rate, "totalRateInclusive", price.inclusive, "code",
        is_queen ? "QN" : "KNG", "currency", "USD", "roomDescription",
        is_queen ? "Queen sized bed" : "King sized bed"));
}

int hotels_capacity(int i)
{
    if (is_named(i) || i % 3 == 0)
        return 200;
    return i % 3 == 1 ? 300 : 250;
}
