#include "services/cluster/env/quantity.h"

#include "base/auto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct suffix {
    const char *name;
    double factor;
} suffixes[] = {
    {"n", 1e-9},
    {"u", 1e-6},
    {"m", 1e-3},
    {"", 1},
    {"k", 1e3},
    {"M", 1e6},
    {"G", 1e9},
    {"T", 1e12},
    {"P", 1e15},
    {"E", 1e18},
    {"Ki", 0x1p10},
    {"Mi", 0x1p20},
    {"Gi", 0x1p30},
    {"Ti", 0x1p40},
    {"Pi", 0x1p50},
    {"Ei", 0x1p60},
};

/* False if it is none. */
static bool read_value(const json_t *quantity, double *value_p)
{
    if (json_is_number(quantity)) {
        *value_p = json_number_value(quantity);
        return true;
    }
    const char *text = json_string_value(quantity);
    if (!text || !strpbrk(text, "0123456789") || text[strspn(text, "+-.0123456789eE")] == 'x')
        return false;
    char *end = NULL;
    double number = strtod(text, &end);
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        if (strcmp(end, suffixes[i].name) == 0) {
            *value_p = number * suffixes[i].factor;
            return true;
        }
    }
    return false;
}

static double value_of(const json_t *quantity)
{
    double value = 0;
    return read_value(quantity, &value) ? value : 0;
}

/* Thousandths and the like have no exact double: what is next to a whole number is meant to be it,
 * so that 0.1 is not 101m. */
static int64_t round_up(double value)
{
    double nearest = round(value);
    if (fabs(nearest) >= 9e18)
        return INT64_MAX;
    return (int64_t)(fabs(value - nearest) <= 1e-12 * fabs(value) ? nearest : ceil(value));
}

int64_t quantity_millis(const json_t *quantity)
{
    return round_up(value_of(quantity) * 1000);
}

int64_t quantity_units(const json_t *quantity)
{
    return round_up(value_of(quantity));
}

/* ---- arithmetic ---------------------------------------------------------------------------- */

bool quantity_is_valid(const json_t *quantity)
{
    double value;
    return read_value(quantity, &value);
}

static bool is_binary(const json_t *quantity)
{
    const char *text = json_string_value(quantity);
    return text && strchr(text, 'i');
}

/* The largest suffix that leaves a whole number. */
static json_t *with_suffix(int64_t value, int64_t base, const char *const *names)
{
    size_t i = 0;
    while (value && value % base == 0 && names[i + 1]) {
        value /= base;
        i++;
    }
    return json_sprintf("%lld%s", (long long)value, names[i]);
}

json_t *quantity_new(int64_t millis, bool is_binary)
{
    static const char *const decimal[] = {"m", "", "k", "M", "G", "T", "P", NULL};
    static const char *const binary[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", NULL};
    if (is_binary && millis % 1000 == 0 && millis / 1000 >= 1024)
        return with_suffix(millis / 1000, 1024, binary);
    return millis ? with_suffix(millis, 1000, decimal) : json_string("0");
}

json_t *quantity_canonical(const json_t *quantity)
{
    return quantity_new(quantity_millis(quantity), is_binary(quantity));
}

static json_t *combine(const json_t *a, const json_t *b, int64_t millis)
{
    return quantity_new(millis, is_binary(quantity_millis(a) ? a : b));
}

json_t *quantity_sum(const json_t *a, const json_t *b)
{
    int64_t sum;
    if (__builtin_add_overflow(quantity_millis(a), quantity_millis(b), &sum))
        sum = INT64_MAX;
    return combine(a, b, sum);
}

json_t *quantity_difference(const json_t *a, const json_t *b)
{
    int64_t difference = quantity_millis(a) - quantity_millis(b);
    return combine(a, b, difference > 0 ? difference : 0);
}

int quantity_compare(const json_t *a, const json_t *b)
{
    int64_t left = quantity_millis(a);
    int64_t right = quantity_millis(b);
    return left < right ? -1 : left > right;
}

void quantity_canonical_map(json_t *map)
{
    const char *key;
    json_t *value;
    json_object_foreach(map, key, value)
    {
        if (quantity_is_valid(value)) /* replacing a value while iterating is allowed */
            json_object_set_new(map, key, quantity_canonical(value));
    }
}
