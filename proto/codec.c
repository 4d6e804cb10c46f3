#include "proto/codec.h"

#include "base/auto.h"
#include "base/mem.h"
#include "proto/pack.h"

#include <msgpack.h>
#include <string.h>

enum { VALUE_DEPTH_LIMIT = 64 };

static void *member(const void *message, const codec_field_t *field)
{
    return (char *)message + field->offset;
}

/* ---- encoding ------------------------------------------------------------------------------ */

static void pack_text(msgpack_packer *packer, const char *text, size_t size)
{
    msgpack_pack_str(packer, size);
    msgpack_pack_str_body(packer, text, size);
}

static void pack_value(msgpack_packer *packer, const json_t *value);

static void pack_object(msgpack_packer *packer, const json_t *value)
{
    const char *key;
    json_t *child;
    msgpack_pack_map(packer, json_object_size(value));
    json_object_foreach((json_t *)value, key, child)
    {
        pack_text(packer, key, strlen(key));
        pack_value(packer, child);
    }
}

static void pack_array(msgpack_packer *packer, const json_t *value)
{
    size_t i;
    json_t *child;
    msgpack_pack_array(packer, json_array_size(value));
    json_array_foreach(value, i, child) pack_value(packer, child);
}

static void pack_value(msgpack_packer *packer, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        pack_object(packer, value);
        break;
    case JSON_ARRAY:
        pack_array(packer, value);
        break;
    case JSON_STRING:
        pack_text(packer, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        msgpack_pack_int64(packer, json_integer_value(value));
        break;
    case JSON_REAL:
        msgpack_pack_double(packer, json_real_value(value));
        break;
    case JSON_TRUE:
        msgpack_pack_true(packer);
        break;
    case JSON_FALSE:
        msgpack_pack_false(packer);
        break;
    case JSON_NULL:
        msgpack_pack_nil(packer);
        break;
    }
}

static void pack_list(msgpack_packer *packer, const codec_list_t *list)
{
    msgpack_pack_array(packer, list->count);
    for (size_t i = 0; i < list->count; i++)
        pack_text(packer, list->items[i], strlen(list->items[i]));
}

static void pack_member(msgpack_packer *packer, const codec_field_t *field, const void *value)
{
    const codec_bin_t *bin = value;
    switch (field->kind) {
    case CODEC_STR:
        pack_text(packer, *(char *const *)value, strlen(*(char *const *)value));
        break;
    case CODEC_I64:
        msgpack_pack_int64(packer, *(const int64_t *)value);
        break;
    case CODEC_F64:
        msgpack_pack_double(packer, *(const double *)value);
        break;
    case CODEC_BOOL:
        *(const bool *)value ? msgpack_pack_true(packer) : msgpack_pack_false(packer);
        break;
    case CODEC_BIN:
        msgpack_pack_bin(packer, bin->size);
        msgpack_pack_bin_body(packer, bin->bytes, bin->size);
        break;
    case CODEC_STR_LIST:
        pack_list(packer, value);
        break;
    case CODEC_VALUE:
        pack_value(packer, *(json_t *const *)value);
        break;
    }
}

/* Fields whose C type is a pointer can be absent; the others always have a value. */
static bool is_set(const codec_field_t *field, const void *value)
{
    bool is_pointer = field->kind == CODEC_STR || field->kind == CODEC_VALUE;
    return !is_pointer || *(void *const *)value;
}

static int check_set(const codec_type_t *type, const void *message, size_t *count_p, err_t *err)
{
    *count_p = 0;
    for (size_t i = 0; i < type->field_count; i++) {
        const codec_field_t *field = &type->fields[i];
        if (is_set(field, member(message, field)))
            ++*count_p;
        else if (!field->is_optional)
            return err_set(err, ERR_INVALID, "%s: '%s' is not set", type->name, field->name);
    }
    return 0;
}

int codec_encode(
    const codec_type_t *type, const void *message, char **bytes_p, size_t *size_p, err_t *err)
{
    size_t count;
    int rc = check_set(type, message, &count, err);
    if (rc < 0)
        return rc;
    msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    msgpack_pack_map(&packer, count);
    for (size_t i = 0; i < type->field_count; i++) {
        const codec_field_t *field = &type->fields[i];
        if (!is_set(field, member(message, field)))
            continue;
        pack_text(&packer, field->name, strlen(field->name));
        pack_member(&packer, field, member(message, field));
    }
    *size_p = buffer.size;
    *bytes_p = msgpack_sbuffer_release(&buffer);
    return 0;
}

/* ---- decoding ------------------------------------------------------------------------------ */

static json_t *read_value(pack_reader_t *reader, int depth);

static json_t *read_array(pack_reader_t *reader, int depth)
{
    uint32_t count;
    if (!pack_read_array(reader, &count))
        return NULL;
    json_auto_t *array = json_array();
    for (uint32_t i = 0; i < count; i++) {
        if (json_array_append_new(array, read_value(reader, depth + 1)) < 0)
            return NULL;
    }
    return TAKE(array);
}

static json_t *read_object(pack_reader_t *reader, int depth)
{
    uint32_t count;
    if (!pack_read_map(reader, &count))
        return NULL;
    json_auto_t *object = json_object();
    for (uint32_t i = 0; i < count; i++) {
        const char *key;
        size_t size;
        if (!pack_read_str(reader, &key, &size) || memchr(key, '\0', size))
            return NULL;
        AUTO_FREE char *name = xstrndup(key, size);
        if (json_object_set_new(object, name, read_value(reader, depth + 1)) < 0)
            return NULL;
    }
    return TAKE(object);
}

static json_t *read_scalar(pack_reader_t *reader)
{
    bool truth;
    int64_t whole;
    double real;
    const char *text;
    size_t size;
    switch (pack_next(reader)) {
    case PACK_NIL:
        return pack_read_nil(reader) ? json_null() : NULL;
    case PACK_BOOL:
        return pack_read_bool(reader, &truth) ? json_boolean(truth) : NULL;
    case PACK_INT:
        return pack_read_int(reader, &whole) ? json_integer(whole) : NULL;
    case PACK_FLOAT:
        return pack_read_float(reader, &real) ? json_real(real) : NULL;
    case PACK_STR: /* NULL unless it is UTF-8 */
        return pack_read_str(reader, &text, &size) ? json_stringn(text, size) : NULL;
    case PACK_BIN:
    case PACK_ARRAY:
    case PACK_MAP:
    case PACK_OTHER:
        break;
    }
    return NULL;
}

static json_t *read_value(pack_reader_t *reader, int depth)
{
    if (depth > VALUE_DEPTH_LIMIT)
        return NULL;
    pack_kind_t kind = pack_next(reader);
    if (kind == PACK_MAP)
        return read_object(reader, depth);
    return kind == PACK_ARRAY ? read_array(reader, depth) : read_scalar(reader);
}

/* A C string cannot hold a NUL, and one that is cut there would not be what was sent. */
static bool read_text(pack_reader_t *reader, char **text_p)
{
    const char *text;
    size_t size;
    if (!pack_read_str(reader, &text, &size) || memchr(text, '\0', size))
        return false;
    *text_p = xstrndup(text, size);
    return true;
}

static bool read_list(pack_reader_t *reader, codec_list_t *list)
{
    uint32_t count;
    if (!pack_read_array(reader, &count))
        return false;
    list->items = xcalloc((size_t)count + 1, sizeof(*list->items));
    for (; list->count < count; list->count++) {
        if (!read_text(reader, &list->items[list->count]))
            return false;
    }
    return true;
}

static bool read_bin(pack_reader_t *reader, codec_bin_t *bin)
{
    const uint8_t *bytes;
    if (!pack_read_bin(reader, &bytes, &bin->size))
        return false;
    void *copy = mem_check(malloc(bin->size + 1));
    memcpy(copy, bytes, bin->size);
    bin->bytes = copy;
    return true;
}

static bool read_member(const codec_field_t *field, pack_reader_t *reader, void *target)
{
    switch (field->kind) {
    case CODEC_STR:
        return read_text(reader, target);
    case CODEC_I64:
        return pack_read_int(reader, target);
    case CODEC_F64:
        return pack_read_float(reader, target);
    case CODEC_BOOL:
        return pack_read_bool(reader, target);
    case CODEC_BIN:
        return read_bin(reader, target);
    case CODEC_STR_LIST:
        return read_list(reader, target);
    case CODEC_VALUE:
        return (*(json_t **)target = read_value(reader, 0));
    }
    return false;
}

static void free_member(const codec_field_t *field, void *value)
{
    codec_list_t *list = value;
    switch (field->kind) {
    case CODEC_STR:
        free(*(char **)value);
        break;
    case CODEC_BIN:
        free((void *)((codec_bin_t *)value)->bytes);
        break;
    case CODEC_STR_LIST:
        for (size_t i = 0; i < list->count; i++)
            free(list->items[i]);
        free(list->items);
        break;
    case CODEC_VALUE:
        json_decref(*(json_t **)value);
        break;
    case CODEC_I64:
    case CODEC_F64:
    case CODEC_BOOL:
        break;
    }
}

static const codec_field_t *field_named(const codec_type_t *type, const char *name, size_t size)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const char *wanted = type->fields[i].name;
        if (strlen(wanted) == size && memcmp(wanted, name, size) == 0)
            return &type->fields[i];
    }
    return NULL;
}

/* Reads one pair. *seen_p has a bit for each field that has come. */
static int read_pair(
    const codec_type_t *type, pack_reader_t *reader, void *message, uint64_t *seen_p, err_t *err)
{
    const char *name;
    size_t size;
    if (!pack_read_str(reader, &name, &size))
        return err_set(err, ERR_INVALID, "%s: a key is not a string", type->name);
    const codec_field_t *field = field_named(type, name, size);
    bool is_absent = field && field->is_optional && pack_next(reader) == PACK_NIL;
    if (!field || is_absent)
        return pack_skip(reader) ? 0 : err_set(err, ERR_INVALID, "%s: cut short", type->name);
    uint64_t bit = 1ULL << (field - type->fields);
    if (*seen_p & bit)
        return err_set(err, ERR_INVALID, "%s: '%s' comes twice", type->name, field->name);
    *seen_p |= bit;
    if (!read_member(field, reader, member(message, field)))
        return err_set(
            err, ERR_INVALID, "%s: '%s' is not what it should be", type->name, field->name);
    return 0;
}

static int read_message(const codec_type_t *type, pack_reader_t *reader, void *message, err_t *err)
{
    uint32_t count;
    uint64_t seen = 0;
    if (!pack_read_map(reader, &count))
        return err_set(err, ERR_INVALID, "%s: not a map", type->name);
    for (uint32_t i = 0; i < count; i++) {
        int rc = read_pair(type, reader, message, &seen, err);
        if (rc < 0)
            return rc;
    }
    if (reader->at != reader->end)
        return err_set(err, ERR_INVALID, "%s: bytes behind the end", type->name);
    for (size_t i = 0; i < type->field_count; i++) {
        if (!type->fields[i].is_optional && !(seen & 1ULL << i))
            return err_set(
                err, ERR_INVALID, "%s: '%s' is missing", type->name, type->fields[i].name);
    }
    return 0;
}

int codec_decode(
    const codec_type_t *type, const void *bytes, size_t size, void **message_p, err_t *err)
{
    pack_reader_t reader = {.at = bytes, .end = (const uint8_t *)bytes + size};
    void *message = xcalloc(1, type->size);
    int rc = read_message(type, &reader, message, err);
    if (rc < 0) {
        codec_free(type, message);
        return rc;
    }
    *message_p = message;
    return 0;
}

void codec_free(const codec_type_t *type, void *message)
{
    if (!message)
        return;
    for (size_t i = 0; i < type->field_count; i++)
        free_member(&type->fields[i], member(message, &type->fields[i]));
    free(message);
}
