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

static double value_of(const json_t *quantity)
{
    if (json_is_number(quantity))
        return json_number_value(quantity);
    const char *text = json_string_value(quantity);
    if (!text)
        return 0;
    char *end = NULL;
    double number = strtod(text, &end);
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        if (strcmp(end, suffixes[i].name) == 0)
            return number * suffixes[i].factor;
    }
    return 0;
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
