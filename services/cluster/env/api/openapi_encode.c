/* Swagger 2.0 as gnostic's openapi.v2.Document, the form that kubectl asks for before 1.29.
 *
 * Field numbers are those of gnostic's openapiv2.proto. Values of extensions are YAML, which JSON
 * is. */
#include "services/cluster/env/api/openapi.h"

#include "base/auto.h"
#include "base/mem.h"

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

/* ---- wire --------------------------------------------------------------------------------- */

static void add_varint(buffer_t *out, uint64_t value)
{
    while (value > 0x7f) {
        unsigned char byte = (unsigned char)(value | 0x80);
        buffer_add(out, &byte, 1);
        value >>= 7;
    }
    unsigned char last = (unsigned char)value;
    buffer_add(out, &last, 1);
}

static void add_bytes(buffer_t *out, unsigned number, const void *bytes, size_t size)
{
    add_varint(out, number << 3 | WIRE_BYTES);
    add_varint(out, size);
    buffer_add(out, bytes, size);
}

static void add_message(buffer_t *out, unsigned number, const buffer_t *message)
{
    add_bytes(out, number, message->bytes ? message->bytes : "", message->size);
}

static void add_string(buffer_t *out, unsigned number, const json_t *text)
{
    if (json_is_string(text))
        add_bytes(out, number, json_string_value(text), json_string_length(text));
}

static void add_true(buffer_t *out, unsigned number, const json_t *value)
{
    if (!json_is_true(value))
        return;
    add_varint(out, number << 3 | WIRE_VARINT);
    add_varint(out, 1);
}

static void add_strings(buffer_t *out, unsigned number, const json_t *list)
{
    size_t i;
    json_t *text;
    json_array_foreach(list, i, text) add_string(out, number, text);
}

/* ---- parts -------------------------------------------------------------------------------- */

typedef void(encode_fn)(buffer_t *out, const json_t *value);

/* A message of one field that is itself a message. */
static void add_wrapped(
    buffer_t *out, unsigned number, unsigned inner, encode_fn *encode, const json_t *value)
{
    AUTO(buffer_done) buffer_t message = {0};
    AUTO(buffer_done) buffer_t wrapped = {0};
    encode(&message, value);
    add_message(&wrapped, inner, &message);
    add_message(out, number, &wrapped);
}

/* NamedX{name = 1, value = 2}. */
static void add_named(
    buffer_t *out, unsigned number, const char *name, encode_fn *encode, const json_t *value)
{
    AUTO(buffer_done) buffer_t message = {0};
    AUTO(buffer_done) buffer_t named = {0};
    encode(&message, value);
    add_bytes(&named, 1, name, strlen(name));
    add_message(&named, 2, &message);
    add_message(out, number, &named);
}

/* A map: a message of nothing but named values. */
static void add_map(buffer_t *out, unsigned number, encode_fn *encode, const json_t *object)
{
    AUTO(buffer_done) buffer_t map = {0};
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value) add_named(&map, 1, name, encode, value);
    if (json_object_size(object))
        add_message(out, number, &map);
}

static void encode_any(buffer_t *out, const json_t *value)
{
    AUTO_FREE char *text = mem_check(json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY));
    add_bytes(out, 2, text, strlen(text));
}

static void add_extensions(buffer_t *out, unsigned number, const json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        if (!strncmp(name, "x-", 2))
            add_named(out, number, name, encode_any, value);
    }
}

/* ---- schemas ------------------------------------------------------------------------------ */

static void add_type(buffer_t *out, unsigned number, const json_t *type)
{
    AUTO(buffer_done) buffer_t item = {0};
    add_string(&item, 1, type);
    add_message(out, number, &item);
}

static void encode_schema(buffer_t *out, const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type");
    const json_t *items = json_object_get(schema, "items");
    const json_t *additional = json_object_get(schema, "additionalProperties");
    add_string(out, 1, json_object_get(schema, "$ref"));
    add_string(out, 2, json_object_get(schema, "format"));
    add_string(out, 4, json_object_get(schema, "description"));
    add_strings(out, 19, json_object_get(schema, "required"));
    if (json_is_object(additional))
        add_wrapped(out, 21, 1, encode_schema, additional);
    if (type)
        add_type(out, 22, type);
    if (json_is_object(items))
        add_wrapped(out, 23, 1, encode_schema, items);
    add_map(out, 25, encode_schema, json_object_get(schema, "properties"));
    add_extensions(out, 31, schema);
}

/* ---- paths -------------------------------------------------------------------------------- */

static void encode_body_parameter(buffer_t *out, const json_t *parameter)
{
    AUTO(buffer_done) buffer_t schema = {0};
    add_string(out, 2, json_object_get(parameter, "name"));
    add_string(out, 3, json_object_get(parameter, "in"));
    add_true(out, 4, json_object_get(parameter, "required"));
    encode_schema(&schema, json_object_get(parameter, "schema"));
    add_message(out, 5, &schema);
}

static void encode_query_parameter(buffer_t *out, const json_t *parameter)
{
    add_string(out, 2, json_object_get(parameter, "in"));
    add_string(out, 4, json_object_get(parameter, "name"));
    add_string(out, 6, json_object_get(parameter, "type"));
    add_true(out, 20, json_object_get(parameter, "uniqueItems"));
}

static void encode_path_parameter(buffer_t *out, const json_t *parameter)
{
    add_true(out, 1, json_object_get(parameter, "required"));
    add_string(out, 2, json_object_get(parameter, "in"));
    add_string(out, 4, json_object_get(parameter, "name"));
    add_string(out, 5, json_object_get(parameter, "type"));
    add_true(out, 19, json_object_get(parameter, "uniqueItems"));
}

/* Parameter is a body_parameter = 1 or a non_body_parameter = 2; that has query = 3, path = 4. */
static void encode_parameter(buffer_t *out, const json_t *parameter)
{
    const char *in = json_string_value(json_object_get(parameter, "in"));
    AUTO(buffer_done) buffer_t body = {0};
    if (!strcmp(in, "query")) {
        add_wrapped(out, 2, 3, encode_query_parameter, parameter);
    } else if (!strcmp(in, "path")) {
        add_wrapped(out, 2, 4, encode_path_parameter, parameter);
    } else {
        encode_body_parameter(&body, parameter);
        add_message(out, 1, &body);
    }
}

static void add_parameters(buffer_t *out, unsigned number, const json_t *parameters)
{
    size_t i;
    json_t *parameter;
    json_array_foreach(parameters, i, parameter)
        add_wrapped(out, number, 1, encode_parameter, parameter);
}

static void encode_response(buffer_t *out, const json_t *response)
{
    AUTO(buffer_done) buffer_t message = {0};
    add_string(&message, 1, json_object_get(response, "description"));
    add_message(out, 1, &message);
}

static void encode_operation(buffer_t *out, const json_t *operation)
{
    add_strings(out, 7, json_object_get(operation, "consumes"));
    add_parameters(out, 8, json_object_get(operation, "parameters"));
    add_map(out, 9, encode_response, json_object_get(operation, "responses"));
    add_extensions(out, 13, operation);
}

static void encode_path(buffer_t *out, const json_t *path)
{
    static const struct {
        const char *method;
        unsigned number;
    } methods[] = {{"get", 2}, {"put", 3}, {"post", 4}, {"delete", 5}, {"patch", 8}};
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        AUTO(buffer_done) buffer_t message = {0};
        const json_t *operation = json_object_get(path, methods[i].method);
        if (!operation)
            continue;
        encode_operation(&message, operation);
        add_message(out, methods[i].number, &message);
    }
    add_parameters(out, 9, json_object_get(path, "parameters"));
}

/* ---- the document ------------------------------------------------------------------------- */

static void encode_info(buffer_t *out, const json_t *info)
{
    add_string(out, 1, json_object_get(info, "title"));
    add_string(out, 2, json_object_get(info, "version"));
}

void openapi_encode(buffer_t *out, const json_t *document)
{
    AUTO(buffer_done) buffer_t info = {0};
    AUTO(buffer_done) buffer_t paths = {0};
    const char *name;
    json_t *value;
    add_string(out, 1, json_object_get(document, "swagger"));
    encode_info(&info, json_object_get(document, "info"));
    add_message(out, 2, &info);
    json_object_foreach(json_object_get(document, "paths"), name, value)
        add_named(&paths, 2, name, encode_path, value);
    add_message(out, 8, &paths);
    add_map(out, 9, encode_schema, json_object_get(document, "definitions"));
}
