/* Validation of values in the words of kube-openapi's validator. */
#include "services/cluster/env/object.h"
#include "services/cluster/env/schema/pattern.h"
#include "services/cluster/env/schema/structural.h"

#include "base/auto.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <float.h>
#include <math.h>

static void validate(const json_t *schema, const json_t *value, const char *path, causes_t *causes);

/* ---- helpers ------------------------------------------------------------------------------ */

/* "PATH in body WHAT" with the value. */
static void invalid(causes_t *causes, const char *path, const json_t *value, const char *format,
    ...) __attribute__((format(printf, 4, 5)));

static void invalid(
    causes_t *causes, const char *path, const json_t *value, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_FREE char *what = NULL;
    if (vasprintf(&what, format, args) < 0)
        abort();
    va_end(args);
    AUTO_FREE char *detail = xasprintf("%s in body %s", path, what);
    causes_invalid(causes, path, value, detail);
}

/* As Go prints a float64: without an exponent where that is not long. */
static char *number_text(double number)
{
    if (fabs(number) < 1e15 && floor(number) == number)
        return xasprintf("%.0f", number);
    return xasprintf("%.*g", DBL_DIG, number);
}

static const char *type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
        return "integer";
    case JSON_REAL:
        return "number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "boolean";
    case JSON_NULL:
        break;
    }
    return "null";
}

/* ---- single rules ------------------------------------------------------------------------- */

static bool is_type_right(const char *wanted, const json_t *value)
{
    const char *type = type_of(value);
    bool is_whole = json_is_real(value) && floor(json_real_value(value)) == json_real_value(value);
    return !strcmp(wanted, type) || (!strcmp(wanted, "number") && json_is_integer(value))
           || (!strcmp(wanted, "integer") && is_whole);
}

static void check_type(
    const json_t *schema, const json_t *value, const char *path, causes_t *causes)
{
    const char *wanted = object_string(schema, "type");
    bool is_either = object_is_true(schema, "x-kubernetes-int-or-string");
    bool is_right = is_either ? json_is_integer(value) || json_is_string(value)
                              : !*wanted || is_type_right(wanted, value);
    if (is_right || (json_is_null(value) && object_is_true(schema, "nullable")))
        return;
    AUTO_FREE char *detail = xasprintf("%s in body must be of type %s: \"%s\"", path,
        is_either ? "integer,string" : wanted, type_of(value));
    causes_wrong_type(causes, path, type_of(value), detail);
}

static void check_enum(
    const json_t *schema, const json_t *value, const char *path, causes_t *causes)
{
    const json_t *allowed = json_object_get(schema, "enum");
    size_t i;
    json_t *one;
    json_array_foreach(allowed, i, one)
    {
        if (json_equal(one, value))
            return;
    }
    if (!allowed || (json_is_null(value) && object_is_true(schema, "nullable")))
        return;
    const char **texts = xcalloc(json_array_size(allowed) + 1, sizeof(*texts));
    char **owned = xcalloc(json_array_size(allowed) + 1, sizeof(*owned));
    json_array_foreach(allowed, i, one)
    {
        owned[i] = json_is_string(one) ? xstrdup(json_string_value(one))
                                       : mem_check(json_dumps(one, JSON_ENCODE_ANY | JSON_COMPACT));
        texts[i] = owned[i];
    }
    causes_unsupported(causes, path, value, texts);
    for (i = 0; owned[i]; i++)
        free(owned[i]);
    free(owned);
    free(texts);
}

static void check_number(
    const json_t *schema, const json_t *value, const char *path, causes_t *causes)
{
    const json_t *maximum = json_object_get(schema, "maximum");
    const json_t *minimum = json_object_get(schema, "minimum");
    const json_t *multiple = json_object_get(schema, "multipleOf");
    double number = json_number_value(value);
    double high = json_number_value(maximum);
    double low = json_number_value(minimum);
    double factor = json_number_value(multiple);
    bool is_below = object_is_true(schema, "exclusiveMaximum");
    bool is_above = object_is_true(schema, "exclusiveMinimum");
    AUTO_FREE char *high_text = number_text(high);
    AUTO_FREE char *low_text = number_text(low);
    AUTO_FREE char *factor_text = number_text(factor);
    if (maximum && (number > high || (is_below && number >= high)))
        invalid(causes, path, value, "should be less than %s%s", is_below ? "" : "or equal to ",
            high_text);
    if (minimum && (number < low || (is_above && number <= low)))
        invalid(causes, path, value, "should be greater than %s%s", is_above ? "" : "or equal to ",
            low_text);
    if (factor > 0 && fabs(remainder(number, factor)) > DBL_EPSILON * fabs(number))
        invalid(causes, path, value, "should be a multiple of %s", factor_text);
}

/* Characters, not bytes. */
static int64_t length_of(const char *text)
{
    int64_t length = 0;
    for (; *text; text++)
        length += (*text & 0xc0) != 0x80;
    return length;
}

static bool is_address(const char *text, int family)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(family, text, bytes) == 1;
}

/* Formats that are not known are not looked at. */
static bool is_format_right(const char *format, const char *text)
{
    static const char date[] = "^[0-9]{4}-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])$";
    static const char date_time[] = "^[0-9]{4}-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])[Tt]"
                                    "[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?"
                                    "([Zz]|[+-][0-9]{2}:[0-9]{2})$";
    static const char uuid[] =
        "^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$";
    if (!strcmp(format, "date"))
        return pattern_match(date, text) == PATTERN_MATCH;
    if (!strcmp(format, "date-time"))
        return pattern_match(date_time, text) == PATTERN_MATCH;
    if (!strcmp(format, "uuid"))
        return pattern_match(uuid, text) == PATTERN_MATCH;
    if (!strcmp(format, "ipv4"))
        return is_address(text, AF_INET);
    if (!strcmp(format, "ipv6"))
        return is_address(text, AF_INET6);
    return true;
}

static void check_string(
    const json_t *schema, const json_t *value, const char *path, causes_t *causes)
{
    const char *text = json_string_value(value);
    const char *pattern = object_string(schema, "pattern");
    const char *format = object_string(schema, "format");
    int64_t longest = object_integer(schema, "maxLength", INT64_MAX);
    int64_t shortest = object_integer(schema, "minLength", 0);
    if (length_of(text) > longest)
        causes_too_long(causes, path, longest);
    if (length_of(text) < shortest)
        invalid(causes, path, value, "should be at least %lld chars long", (long long)shortest);
    if (*pattern && pattern_match(pattern, text) == PATTERN_NO_MATCH)
        invalid(causes, path, value, "should match '%s'", pattern);
    if (*format && !is_format_right(format, text)) {
        AUTO_FREE char *detail =
            xasprintf("%s in body must be of type %s: \"%s\"", path, format, text);
        causes_invalid(causes, path, value, detail);
    }
}

/* ---- lists and objects -------------------------------------------------------------------- */

/* Whether two elements are the same one of a list that is a set or a map. */
static bool is_same(const json_t *keys, const json_t *one, const json_t *other)
{
    size_t i;
    json_t *key;
    json_array_foreach(keys, i, key)
    {
        const json_t *left = json_object_get(one, json_string_value(key));
        const json_t *right = json_object_get(other, json_string_value(key));
        if (left != right && !(left && right && json_equal(left, right)))
            return false;
    }
    return keys || json_equal(one, other);
}

static void check_duplicates(
    const json_t *schema, const json_t *list, const char *path, causes_t *causes)
{
    const json_t *keys = json_object_get(schema, "x-kubernetes-list-map-keys");
    const char *type = object_string(schema, "x-kubernetes-list-type");
    if (strcmp(type, "set") != 0 && (strcmp(type, "map") != 0 || !keys))
        return;
    for (size_t i = 1; i < json_array_size(list); i++) {
        for (size_t j = 0; j < i; j++) {
            if (!is_same(keys, json_array_get(list, i), json_array_get(list, j)))
                continue;
            AUTO_FREE char *at = xasprintf("%s[%zu]", path, i);
            causes_duplicate(causes, at, json_array_get(list, i));
            break;
        }
    }
}

static void check_list(const json_t *schema, const json_t *list, const char *path, causes_t *causes)
{
    int64_t count = (int64_t)json_array_size(list);
    int64_t most = object_integer(schema, "maxItems", INT64_MAX);
    int64_t least = object_integer(schema, "minItems", 0);
    const json_t *items = json_object_get(schema, "items");
    if (count > most)
        causes_too_many(causes, path, count, most);
    if (count < least) {
        json_auto_t *shown = json_integer(count);
        invalid(causes, path, shown, "should have at least %lld items", (long long)least);
    }
    check_duplicates(schema, list, path, causes);
    for (size_t i = 0; items && i < (size_t)count; i++) {
        AUTO_FREE char *at = xasprintf("%s[%zu]", path, i);
        validate(items, json_array_get(list, i), at, causes);
    }
}

static char *child_path(const char *path, const char *key)
{
    return xasprintf("%s%s%s", path, *path ? "." : "", key);
}

static void check_members(
    const json_t *schema, const json_t *object, const char *path, causes_t *causes)
{
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *additional = json_object_get(schema, "additionalProperties");
    size_t i;
    json_t *required;
    const char *key;
    json_t *value;
    json_array_foreach(json_object_get(schema, "required"), i, required)
    {
        AUTO_FREE char *at = child_path(path, json_string_value(required));
        if (!json_object_get(object, json_string_value(required)))
            causes_required(causes, at, NULL);
    }
    json_object_foreach((json_t *)object, key, value)
    {
        AUTO_FREE char *at = child_path(path, key);
        const json_t *member = json_object_get(properties, key);
        if (!member && json_is_object(additional))
            member = additional;
        if (member)
            validate(member, value, at, causes);
    }
}

static void check_object(
    const json_t *schema, const json_t *object, const char *path, causes_t *causes)
{
    int64_t count = (int64_t)json_object_size(object);
    int64_t most = object_integer(schema, "maxProperties", INT64_MAX);
    int64_t least = object_integer(schema, "minProperties", 0);
    if (count > most)
        causes_too_many(causes, path, count, most);
    if (count < least) {
        json_auto_t *shown = json_integer(count);
        invalid(causes, path, shown, "should have at least %lld properties", (long long)least);
    }
    check_members(schema, object, path, causes);
}

/* ---- schemas of schemas ------------------------------------------------------------------- */

/* How many of the alternatives a value satisfies; what the first one misses is added to misses. */
static size_t count_valid(
    const json_t *schemas, const json_t *value, const char *path, causes_t *misses)
{
    size_t count = 0;
    size_t i;
    json_t *schema;
    json_array_foreach(schemas, i, schema)
    {
        causes_t causes;
        causes_init(&causes);
        validate(schema, value, path, &causes);
        count += causes_is_empty(&causes);
        if (i == 0)
            json_array_extend(misses->list, causes.list);
        causes_done(&causes);
    }
    return count;
}

static void composite(causes_t *causes, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* These errors have their path in the text alone. */
static void composite(causes_t *causes, const char *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_FREE char *what = NULL;
    if (vasprintf(&what, format, args) < 0)
        abort();
    va_end(args);
    AUTO_FREE char *detail = xasprintf("\"%s\" must %s", path, what);
    causes_invalid_text(causes, "<nil>", "\"\"", detail);
}

static void check_composites(
    const json_t *schema, const json_t *value, const char *path, causes_t *causes)
{
    const json_t *any = json_object_get(schema, "anyOf");
    const json_t *one = json_object_get(schema, "oneOf");
    const json_t *not = json_object_get(schema, "not");
    size_t i;
    json_t *each;
    causes_t misses;
    causes_init(&misses);
    if (json_array_size(any) && !count_valid(any, value, path, &misses)) {
        composite(causes, path, "validate at least one schema (anyOf)");
        json_array_extend(causes->list, misses.list);
    }
    json_array_clear(misses.list);
    size_t valid = json_array_size(one) ? count_valid(one, value, path, &misses) : 1;
    if (valid == 0) {
        composite(causes, path, "validate one and only one schema (oneOf). Found none valid");
        json_array_extend(causes->list, misses.list);
    } else if (valid > 1) {
        composite(causes, path,
            "validate one and only one schema (oneOf). Found %zu valid alternatives", valid);
    }
    json_array_foreach(json_object_get(schema, "allOf"), i, each)
        validate(each, value, path, causes);
    json_array_clear(misses.list);
    if (not ) {
        validate(not, value, path, &misses);
        if (causes_is_empty(&misses))
            composite(causes, path, "not validate the schema (not)");
    }
    causes_done(&misses);
}

static void validate(const json_t *schema, const json_t *value, const char *path, causes_t *causes)
{
    check_type(schema, value, path, causes);
    check_enum(schema, value, path, causes);
    if (json_is_number(value))
        check_number(schema, value, path, causes);
    else if (json_is_string(value))
        check_string(schema, value, path, causes);
    else if (json_is_array(value))
        check_list(schema, value, path, causes);
    else if (json_is_object(value))
        check_object(schema, value, path, causes);
    check_composites(schema, value, path, causes);
}

void structural_validate(const json_t *schema, const json_t *object, causes_t *causes)
{
    validate(schema, object, "", causes);
}
