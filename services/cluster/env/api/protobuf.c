/* The envelope "k8s\0" + runtime.Unknown, and in it one object in proto2 encoding.
 *
 * Go writes zero values of plain fields; those that JSON leaves out are left out here too, or
 * defaults would not be filled in. */
#include "services/cluster/env/api/protobuf.h"

#include "services/cluster/env/api/review.h"
#include "services/cluster/env/kind.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/schema/fields.h"

#include "base/auto.h"
#include "base/base64.h"
#include "base/mem.h"

enum { DEPTH_MAX = 32, WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* What is left to read. */
typedef struct input {
    const unsigned char *at;
    const unsigned char *end;
} input_t;

/* One field as it is on the wire. */
typedef struct item {
    uint64_t number;
    unsigned wire;
    uint64_t integer; /* WIRE_VARINT */
    input_t bytes;    /* WIRE_BYTES */
} item_t;

static json_t *decode_message(const char *type, input_t input, int depth);

/* ---- the wire ----------------------------------------------------------------------------- */

static bool read_varint(input_t *input, uint64_t *value_p)
{
    *value_p = 0;
    for (unsigned shift = 0; shift < 64 && input->at < input->end; shift += 7) {
        unsigned char byte = *input->at++;
        *value_p |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool skip(input_t *input, uint64_t size)
{
    if (size > (uint64_t)(input->end - input->at))
        return false;
    input->at += size;
    return true;
}

static bool read_item(input_t *input, item_t *item)
{
    uint64_t key;
    uint64_t size;
    if (!read_varint(input, &key))
        return false;
    item->number = key >> 3;
    item->wire = key & 7;
    switch (item->wire) {
    case WIRE_VARINT:
        return read_varint(input, &item->integer);
    case WIRE_64:
        return skip(input, 8);
    case WIRE_32:
        return skip(input, 4);
    case WIRE_BYTES:
        if (!read_varint(input, &size))
            return false;
        item->bytes.at = input->at;
        if (!skip(input, size))
            return false;
        item->bytes.end = input->at;
        return true;
    default:
        return false;
    }
}

/* The item with a number, the last one if there are several; false if there is none. */
static bool find_item(input_t input, uint64_t number, item_t *found)
{
    item_t item;
    bool is_found = false;
    while (input.at < input.end && read_item(&input, &item)) {
        if (item.number == number) {
            *found = item;
            is_found = true;
        }
    }
    return is_found;
}

static json_t *text_of(input_t bytes)
{
    return json_stringn((const char *)bytes.at, (size_t)(bytes.end - bytes.at));
}

static json_t *text_at(input_t input, uint64_t number, const char *otherwise)
{
    item_t item;
    return find_item(input, number, &item) && item.wire == WIRE_BYTES ? text_of(item.bytes)
                                                                      : json_string(otherwise);
}

static int64_t integer_at(input_t input, uint64_t number)
{
    item_t item;
    return find_item(input, number, &item) && item.wire == WIRE_VARINT ? (int64_t)item.integer : 0;
}

/* ---- values ------------------------------------------------------------------------------- */

static json_t *bytes_of(input_t bytes)
{
    AUTO_FREE char *text = base64_encode(bytes.at, (size_t)(bytes.end - bytes.at));
    return json_string(text);
}

static json_t *time_of(input_t message)
{
    return message.at == message.end ? json_null() : object_time(integer_at(message, 1));
}

static json_t *micro_time_of(input_t message)
{
    if (message.at == message.end)
        return json_null();
    json_auto_t *seconds = object_time(integer_at(message, 1));
    size_t length = json_string_length(seconds);
    return json_sprintf("%.*s.%06dZ", (int)(length ? length - 1 : 0), json_string_value(seconds),
        (int)(integer_at(message, 2) / 1000 % 1000000));
}

static json_t *int_or_string_of(input_t message)
{
    return integer_at(message, 1) == 1 ? text_at(message, 3, "")
                                       : json_integer((int32_t)integer_at(message, 2));
}

static json_t *any_of(input_t message)
{
    item_t item;
    if (!find_item(message, 1, &item) || item.wire != WIRE_BYTES)
        return json_null();
    return json_loadb(
        (const char *)item.bytes.at, (size_t)(item.bytes.end - item.bytes.at), 0, NULL);
}

/* ExtraValue and alike: a message of repeated strings. */
static json_t *list_of(input_t message)
{
    json_auto_t *list = json_array();
    item_t item;
    while (message.at < message.end) {
        if (!read_item(&message, &item) || item.wire != WIRE_BYTES)
            return NULL;
        json_array_append_new(list, text_of(item.bytes));
    }
    return TAKE(list);
}

static json_t *decode_value(const char *type, const item_t *item, int depth)
{
    static const struct {
        const char *type;
        json_t *(*decode)(input_t message);
    } specials[] = {{"string", text_of}, {"bytes", bytes_of}, {"time", time_of},
        {"micro-time", micro_time_of}, {"int-or-string", int_or_string_of}, {"any", any_of},
        {"list", list_of}};
    if (!strcmp(type, "bool"))
        return item->wire == WIRE_VARINT ? json_boolean(item->integer) : NULL;
    if (!strcmp(type, "int32") || !strcmp(type, "int64"))
        return item->wire == WIRE_VARINT ? json_integer((json_int_t)item->integer) : NULL;
    if (item->wire != WIRE_BYTES)
        return NULL;
    if (!strcmp(type, "quantity"))
        return text_at(item->bytes, 1, "0");
    for (size_t i = 0; i < ARRAY_SIZE(specials); i++) {
        if (!strcmp(type, specials[i].type))
            return specials[i].decode(item->bytes);
    }
    return decode_message(type, item->bytes, depth + 1);
}

/* ---- messages ----------------------------------------------------------------------------- */

static bool is_zero(const json_t *value)
{
    return (json_is_integer(value) && !json_integer_value(value)) || json_is_false(value)
           || json_is_null(value) || (json_is_string(value) && !json_string_length(value))
           || (json_is_object(value) && !json_object_size(value));
}

static bool add_entry(json_t *object, const field_t *field, const item_t *item, int depth)
{
    item_t value;
    if (item->wire != WIRE_BYTES)
        return false;
    json_auto_t *key = text_at(item->bytes, 1, "");
    json_t *decoded = find_item(item->bytes, 2, &value) ? decode_value(field->value, &value, depth)
                                                        : json_string("");
    if (!key || !decoded) {
        json_decref(decoded);
        return false;
    }
    if (!json_object_get(object, field->name))
        json_object_set_new(object, field->name, json_object());
    return !json_object_set_new(
        json_object_get(object, field->name), json_string_value(key), decoded);
}

/* Repeated numbers may come packed into one item. */
static bool add_packed(json_t *list, input_t bytes)
{
    uint64_t value;
    while (bytes.at < bytes.end) {
        if (!read_varint(&bytes, &value))
            return false;
        json_array_append_new(list, json_integer((json_int_t)value));
    }
    return true;
}

static bool add_to_list(json_t *object, const field_t *field, const item_t *item, int depth)
{
    if (!json_object_get(object, field->name))
        json_object_set_new(object, field->name, json_array());
    json_t *list = json_object_get(object, field->name);
    if (item->wire == WIRE_BYTES && !strncmp(field->value, "int", 3)
        && strcmp(field->value, "int-or-string") != 0)
        return add_packed(list, item->bytes);
    return !json_array_append_new(list, decode_value(field->value, item, depth));
}

static bool add_item(json_t *object, const field_t *field, const item_t *item, int depth)
{
    if (field->shape == SHAPE_MAP)
        return add_entry(object, field, item, depth);
    if (field->shape == SHAPE_LIST)
        return add_to_list(object, field, item, depth);
    json_auto_t *value = decode_value(field->value, item, depth);
    if (!value)
        return false;
    if (!*field->name) /* inlined in JSON */
        return !json_object_update(object, value);
    bool is_left_out = json_is_null(value) || (field->flags & FIELD_OMIT && is_zero(value));
    return is_left_out || !json_object_set(object, field->name, value);
}

static json_t *decode_message(const char *type, input_t input, int depth)
{
    json_auto_t *object = json_object();
    item_t item;
    if (depth > DEPTH_MAX || !field_is_type(type))
        return NULL;
    while (input.at < input.end) {
        if (!read_item(&input, &item))
            return NULL;
        const field_t *field =
            item.number <= INT16_MAX ? field_find_number(type, (int)item.number) : NULL;
        if (field && !add_item(object, field, &item, depth))
            return NULL;
    }
    return TAKE(object);
}

/* The table's name of a type that comes as a request body. */
static const char *body_type(const char *api_version, const char *name)
{
    static const struct {
        const char *name;
        const char *type;
    } others[] = {{"DeleteOptions", "meta/v1.DeleteOptions"}, {"Scale", "autoscaling/v1.Scale"},
        {"TokenRequest", "authentication/v1.TokenRequest"}};
    const kind_t *kind = kind_find_type(api_version, name);
    const review_t *review = review_find(name);
    if (kind)
        return kind->type;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        if (!strcmp(name, others[i].name))
            return others[i].type;
    }
    return review ? review->type : "";
}

json_t *protobuf_decode(const char *bytes, size_t size, err_t *err)
{
    static const char magic[4] = "k8s";
    item_t meta;
    item_t raw;
    if (size < sizeof(magic) || memcmp(bytes, magic, sizeof(magic)) != 0) {
        err_set(err, ERR_INVALID, "provided data does not appear to be a protobuf message");
        return NULL;
    }
    input_t input = {
        (const unsigned char *)bytes + sizeof(magic), (const unsigned char *)bytes + size};
    if (!find_item(input, 1, &meta) || meta.wire != WIRE_BYTES || !find_item(input, 2, &raw)
        || raw.wire != WIRE_BYTES) {
        err_set(err, ERR_INVALID, "the protobuf envelope lacks a type or an object");
        return NULL;
    }
    json_auto_t *version = text_at(meta.bytes, 1, "");
    json_auto_t *kind = text_at(meta.bytes, 2, "");
    const char *type =
        version && kind ? body_type(json_string_value(version), json_string_value(kind)) : "";
    json_t *object = decode_message(type, raw.bytes, 0);
    if (!object) {
        err_set(err, ERR_INVALID, "cannot decode the protobuf body of kind \"%.60s\"",
            kind ? json_string_value(kind) : "");
        return NULL;
    }
    json_object_set(object, "apiVersion", version);
    json_object_set(object, "kind", kind);
    return object;
}
