/* Looking up fields, and checking objects against them. */
#include "services/cluster/env/schema/fields.h"

#include "base/auto.h"
#include "base/mem.h"

#define ONE    SHAPE_ONE
#define LIST   SHAPE_LIST
#define MAP    SHAPE_MAP
#define OMIT   FIELD_OMIT
#define MERGE  FIELD_MERGE
#define RETAIN FIELD_RETAIN
#define SET    FIELD_SET
#define ATOMIC FIELD_ATOMIC
#define NEED   FIELD_NEED

static const field_t fields[] = {
#define FIELD(type, name, number, value, shape, flags, merge_key, list_keys)                       \
    {type, name, number, value, shape, flags, merge_key, list_keys},
#include "services/cluster/env/schema/fields.def"
#undef FIELD
};

/* ---- looking up --------------------------------------------------------------------------- */

static int by_type_and_name(const void *a, const void *b)
{
    const field_t *left = a;
    const field_t *right = b;
    int order = strcmp(left->type, right->type);
    return order ? order : strcmp(left->name, right->name);
}

static const field_t *find_exactly(const char *type, const char *name)
{
    field_t wanted = {.type = type, .name = name};
    return bsearch(&wanted, fields, ARRAY_SIZE(fields), sizeof(fields[0]), by_type_and_name);
}

/* What every custom object has, and what only its own schema knows: there, objects are merged and
 * lists replaced. */
static const field_t custom_metadata = {
    "custom.Object", "metadata", 0, "meta/v1.ObjectMeta", ONE, OMIT, NULL, NULL};
static const field_t custom_value = {"custom.Object", "", 0, "custom.Value", ONE, 0, NULL, NULL};

static const field_t *find_custom(const char *type, const char *name)
{
    if (!strcmp(name, "metadata") && strcmp(type, custom_value.value) != 0)
        return &custom_metadata;
    return strcmp(type, "custom.Metadata") != 0 ? &custom_value : NULL;
}

const field_t *field_find(const char *type, const char *name)
{
    if (!strncmp(type, "custom.", 7))
        return find_custom(type, name);
    const field_t *field = *name ? find_exactly(type, name) : NULL;
    const field_t *inlined = field ? NULL : find_exactly(type, "");
    return field || !inlined ? field : field_find(inlined->value, name);
}

/* The index of a type's first field, or the end. */
static size_t first_of(const char *type)
{
    size_t low = 0;
    size_t high = ARRAY_SIZE(fields);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(fields[middle].type, type) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const field_t *field_at(const char *type, size_t i)
{
    i += first_of(type);
    return i < ARRAY_SIZE(fields) && !strcmp(fields[i].type, type) ? &fields[i] : NULL;
}

bool field_is_type(const char *type)
{
    return field_at(type, 0) || !strcmp(type, custom_value.value);
}

const field_t *field_find_number(const char *type, int number)
{
    for (size_t i = first_of(type); i < ARRAY_SIZE(fields) && !strcmp(fields[i].type, type); i++) {
        if (fields[i].number == number)
            return &fields[i];
    }
    return NULL;
}

/* ---- checking ----------------------------------------------------------------------------- */

enum { PATH_MAX_LENGTH = 512, DEPTH_MAX = 64 };

/* Where the check is: with indices for unknown fields, without for Go's decoding errors. */
typedef struct place {
    char indexed[PATH_MAX_LENGTH];
    char plain[PATH_MAX_LENGTH];
    int depth;
    json_t *unknown;
    err_t *err;
} place_t;

static int check_object(place_t *place, json_t *object, const char *type);

static const char *json_kind(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "bool";
    case JSON_NULL:
        break;
    }
    return "null";
}

/* Go's name of what the field takes. */
static const char *go_type(const field_t *field)
{
    const char *dot = strrchr(field->value, '.');
    if (field->shape == SHAPE_MAP)
        return "map[string]string";
    return dot ? dot + 1 : field->value;
}

static int wrong_type(const place_t *place, const field_t *field, const json_t *value)
{
    const char *dot = strrchr(field->type, '.');
    bool is_list = field->shape == SHAPE_LIST && !json_is_array(value);
    return err_set(place->err, ERR_INVALID,
        "json: cannot unmarshal %s into Go struct field %s.%s of type %s%s", json_kind(value),
        dot ? dot + 1 : field->type, place->plain, is_list ? "[]" : "", go_type(field));
}

static bool is_scalar_right(const char *type, const json_t *value)
{
    if (!strcmp(type, "any") || !strcmp(type, "json"))
        return true;
    if (!strcmp(type, "list"))
        return json_is_array(value);
    if (!strcmp(type, "bool"))
        return json_is_boolean(value);
    if (!strcmp(type, "number"))
        return json_is_number(value);
    if (!strncmp(type, "int", 3) && strcmp(type, "int-or-string") != 0)
        return json_is_integer(value);
    if (!strcmp(type, "int-or-string"))
        return json_is_integer(value) || json_is_string(value);
    if (!strcmp(type, "quantity"))
        return json_is_number(value) || json_is_string(value);
    return json_is_string(value);
}

static int check_value(place_t *place, const field_t *field, json_t *value)
{
    if (field_is_type(field->value))
        return json_is_object(value) ? check_object(place, value, field->value)
                                     : wrong_type(place, field, value);
    return is_scalar_right(field->value, value) ? 0 : wrong_type(place, field, value);
}

static int check_list(place_t *place, const field_t *field, json_t *list)
{
    size_t length = strlen(place->indexed);
    size_t i;
    json_t *value;
    json_array_foreach(list, i, value)
    {
        snprintf(place->indexed + length, PATH_MAX_LENGTH - length, "[%zu]", i);
        int rc = check_value(place, field, value);
        place->indexed[length] = 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int check_map(place_t *place, const field_t *field, json_t *map)
{
    const char *key;
    json_t *value;
    void *next;
    size_t length = strlen(place->indexed);
    json_object_foreach_safe(map, next, key, value)
    {
        if (json_is_null(value)) {
            json_object_del(map, key);
            continue;
        }
        snprintf(place->indexed + length, PATH_MAX_LENGTH - length, ".%s", key);
        int rc = check_value(place, field, value);
        place->indexed[length] = 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int check_field(place_t *place, const field_t *field, json_t *value)
{
    if (field->shape == SHAPE_LIST)
        return json_is_array(value) ? check_list(place, field, value)
                                    : wrong_type(place, field, value);
    if (field->shape == SHAPE_MAP)
        return json_is_object(value) ? check_map(place, field, value)
                                     : wrong_type(place, field, value);
    return check_value(place, field, value);
}

static void add_unknown(const place_t *place, json_t *object, const char *key)
{
    json_array_append_new(place->unknown, json_sprintf("unknown field \"%s\"", place->indexed));
    json_object_del(object, key);
}

/* What Go leaves out of JSON: empty lists and maps, and zero values of plain fields. */
static bool is_left_out(const field_t *field, const json_t *value)
{
    if (!(field->flags & FIELD_OMIT))
        return false;
    if (field->shape == SHAPE_LIST)
        return !json_array_size(value);
    if (field->shape == SHAPE_MAP)
        return !json_object_size(value);
    return json_is_false(value) || (json_is_string(value) && !json_string_length(value))
           || (json_is_integer(value) && !json_integer_value(value)
               && strcmp(field->value, "int-or-string") != 0);
}

/* Takes what is null, unknown or empty out of object; checks the rest. */
static int check_member(place_t *place, json_t *object, const char *type, const char *key)
{
    const field_t *field = field_find(type, key);
    json_t *value = json_object_get(object, key);
    bool is_object = place->depth == 1 || !strcmp(type, "core/v1.PersistentVolumeClaim");
    bool is_of_type = is_object && (!strcmp(key, "kind") || !strcmp(key, "apiVersion"));
    if (json_is_null(value)) {
        json_object_del(object, key);
        return 0;
    }
    if (!field) {
        if (!is_of_type)
            add_unknown(place, object, key);
        return 0;
    }
    int rc = check_field(place, field, value);
    if (rc == 0 && is_left_out(field, value))
        json_object_del(object, key);
    return rc;
}

static int check_object(place_t *place, json_t *object, const char *type)
{
    const char *key;
    json_t *value;
    void *next;
    size_t indexed = strlen(place->indexed);
    size_t plain = strlen(place->plain);
    int rc = 0;
    if (++place->depth > DEPTH_MAX)
        return err_set(place->err, ERR_INVALID, "the object is nested too deeply");
    json_object_foreach_safe(object, next, key, value)
    {
        snprintf(
            place->indexed + indexed, PATH_MAX_LENGTH - indexed, "%s%s", indexed ? "." : "", key);
        snprintf(place->plain + plain, PATH_MAX_LENGTH - plain, "%s%s", plain ? "." : "", key);
        rc = check_member(place, object, type, key);
        place->indexed[indexed] = 0;
        place->plain[plain] = 0;
        if (rc < 0)
            break;
    }
    place->depth--;
    return rc;
}

int fields_check(json_t *object, const char *type, json_t *unknown, err_t *err)
{
    place_t place = {.unknown = unknown, .err = err};
    return check_object(&place, object, type);
}
