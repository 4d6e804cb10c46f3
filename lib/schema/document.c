#include "schema/document.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>

typedef const cyaml_schema_value_t value_t;

static int vfail_at(
    document_t *self, const char *name, const yaml_node_t *node, const char *format, va_list args)
{
    char what[200];
    vsnprintf(what, sizeof(what), format, args);
    return err_set(self->err, ERR_INVALID, "%s:%zu:%zu: %s%s%s%s", self->path,
        node ? node->start_mark.line + 1 : 1, node ? node->start_mark.column + 1 : 1,
        *name ? "'" : "", name, *name ? "': " : "", what);
}

int document_fail_at(document_t *self, const yaml_node_t *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int rc = vfail_at(self, self->node, node, format, args);
    va_end(args);
    return rc;
}

/* ---- reading ------------------------------------------------------------------------------ */

enum { FILE_SIZE_MAX = 4 << 20 };

static int read_text(document_t *self)
{
    FILE *file = fopen(self->path, "re");
    if (!file)
        return err_set(self->err, ERR_IO, "cannot read '%s': %s", self->path, strerror(errno));
    self->text = xcalloc(1, FILE_SIZE_MAX);
    self->size = fread(self->text, 1, FILE_SIZE_MAX, file);
    bool is_bad = ferror(file);
    bool is_long = self->size == FILE_SIZE_MAX;
    fclose(file);
    if (is_bad)
        return err_set(self->err, ERR_IO, "cannot read '%s': it is no file", self->path);
    if (is_long)
        return err_set(self->err, ERR_INVALID, "'%s' is larger than 4 MB", self->path);
    return 0;
}

static int parse(document_t *self)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        abort(); /* it fails only for want of memory */
    yaml_parser_set_input_string(&parser, (const unsigned char *)self->text, self->size);

    int rc = 0;
    if (!yaml_parser_load(&parser, &self->yaml)) {
        rc = err_set(self->err, ERR_INVALID, "%s:%zu:%zu: not YAML: %s%s%s", self->path,
            parser.problem_mark.line + 1, parser.problem_mark.column + 1,
            parser.problem ? parser.problem : "unreadable", parser.context ? " " : "",
            parser.context ? parser.context : "");
    } else if (!yaml_document_get_root_node(&self->yaml)) {
        rc = err_set(self->err, ERR_INVALID, "%s:1:1: the file is empty", self->path);
    }
    yaml_parser_delete(&parser);
    return rc;
}

int document_init(document_t *self, const char *path, err_t *err)
{
    *self = (document_t){.path = path, .err = err};
    int rc = read_text(self);
    return rc < 0 ? rc : parse(self);
}

void document_done(document_t *self)
{
    yaml_document_delete(&self->yaml);
    free(self->text);
}

/* ---- checking ----------------------------------------------------------------------------- */

static int check(document_t *self, yaml_node_t *node, value_t *schema);

static const char *kind_name(const yaml_node_t *node)
{
    switch (node->type) {
    case YAML_SCALAR_NODE:
        return "text";
    case YAML_SEQUENCE_NODE:
        return "a list";
    case YAML_MAPPING_NODE:
        return "a mapping";
    case YAML_NO_NODE:
        break;
    }
    return "nothing";
}

static const char *scalar(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

static yaml_node_t *value_of(document_t *self, const yaml_node_t *mapping, const char *name)
{
    for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(&self->yaml, pair->key);
        if (key->type == YAML_SCALAR_NODE && strcmp(scalar(key), name) == 0)
            return yaml_document_get_node(&self->yaml, pair->value);
    }
    return NULL;
}

static const cyaml_schema_field_t *field_of(value_t *schema, const char *name)
{
    const cyaml_schema_field_t *field = schema->mapping.fields;
    while (field->key && strcmp(field->key, name) != 0)
        field++;
    return field->key ? field : NULL;
}

static int fail_key(document_t *self, const yaml_node_t *key, value_t *schema)
{
    char names[160] = "";
    for (const cyaml_schema_field_t *field = schema->mapping.fields; field->key; field++) {
        size_t length = strlen(names);
        snprintf(names + length, sizeof(names) - length, "%s%s", length ? ", " : "", field->key);
    }
    if (key->type != YAML_SCALAR_NODE)
        return document_fail_at(self, key, "a key must be text, not %s", kind_name(key));
    return document_fail_at(
        self, key, "unknown key '%.40s', expected one of: %s", scalar(key), names);
}

/* Appends to the name of the present node; returns its former length, to be cut back to. */
static size_t enter(document_t *self, const char *name, int index)
{
    size_t length = strlen(self->node);
    size_t room = sizeof(self->node) - length;
    if (name)
        snprintf(self->node + length, room, "%s%s", length ? "." : "", name);
    else
        snprintf(self->node + length, room, "[%d]", index);
    return length;
}

static int check_pair(
    document_t *self, const yaml_node_t *mapping, const yaml_node_pair_t *pair, value_t *schema)
{
    yaml_node_t *key = yaml_document_get_node(&self->yaml, pair->key);
    yaml_node_t *value = yaml_document_get_node(&self->yaml, pair->value);
    const cyaml_schema_field_t *field =
        key->type == YAML_SCALAR_NODE ? field_of(schema, scalar(key)) : NULL;
    if (!field)
        return fail_key(self, key, schema);
    if (value_of(self, mapping, field->key) != value)
        return document_fail_at(self, key, "key '%s' is there twice", field->key);

    size_t length = enter(self, field->key, 0);
    int rc = check(self, value, &field->value);
    if (rc == 0)
        self->node[length] = '\0';
    return rc;
}

static int check_mapping(document_t *self, yaml_node_t *node, value_t *schema)
{
    if (node->type != YAML_MAPPING_NODE)
        return document_fail_at(self, node, "expected a mapping, not %s", kind_name(node));

    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        int rc = check_pair(self, node, pair, schema);
        if (rc < 0)
            return rc;
    }
    for (const cyaml_schema_field_t *field = schema->mapping.fields; field->key; field++) {
        if (!(field->value.flags & CYAML_FLAG_OPTIONAL) && !value_of(self, node, field->key))
            return document_fail_at(self, node, "key '%s' is missing", field->key);
    }
    return 0;
}

static int check_sequence(document_t *self, yaml_node_t *node, value_t *schema)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return document_fail_at(self, node, "expected a list, not %s", kind_name(node));

    yaml_node_item_t *items = node->data.sequence.items.start;
    size_t count = (size_t)(node->data.sequence.items.top - items);
    if (count < schema->sequence.min)
        return document_fail_at(
            self, node, "expected at least %u of them, not %zu", schema->sequence.min, count);
    if (count > schema->sequence.max)
        return document_fail_at(
            self, node, "expected at most %u of them, not %zu", schema->sequence.max, count);
    for (size_t i = 0; i < count; i++) {
        size_t length = enter(self, NULL, (int)i);
        int rc = check(self, yaml_document_get_node(&self->yaml, items[i]), schema->sequence.entry);
        if (rc < 0)
            return rc;
        self->node[length] = '\0';
    }
    return 0;
}

static int check_integer(document_t *self, const yaml_node_t *node, value_t *schema)
{
    bool is_signed = schema->type == CYAML_INT;
    int bits = (int)schema->data_size * 8 - (is_signed ? 1 : 0);
    uint64_t limit = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    bool is_negative = scalar(node)[0] == '-';
    const char *digits = scalar(node) + is_negative;
    char *end;

    errno = 0;
    uint64_t value = strtoull(digits, &end, 10);
    if (!isdigit((unsigned char)*digits) || *end)
        return document_fail_at(self, node, "'%.40s' is not a whole number", scalar(node));
    if (is_negative && !is_signed)
        return document_fail_at(self, node, "%.40s is below 0", scalar(node));
    if (errno || value > limit)
        return document_fail_at(self, node, "%.40s is too large", scalar(node));
    return 0;
}

static int check_enum(document_t *self, const yaml_node_t *node, value_t *schema)
{
    char names[160] = "";
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        const char *name = schema->enumeration.strings[i].str;
        if (strcmp(name, scalar(node)) == 0)
            return 0;
        size_t length = strlen(names);
        snprintf(names + length, sizeof(names) - length, "%s%s", i ? ", " : "", name);
    }
    return document_fail_at(self, node, "'%.40s' is not one of: %s", scalar(node), names);
}

static int check_string(document_t *self, const yaml_node_t *node, value_t *schema)
{
    size_t length = node->data.scalar.length;
    if (length < schema->string.min)
        return document_fail_at(
            self, node, length ? "expected more text" : "expected text, not nothing");
    if (length > schema->string.max)
        return document_fail_at(self, node, "longer than %u characters", schema->string.max);
    return 0;
}

static int check_bool(document_t *self, const yaml_node_t *node)
{
    /* The words that libcyaml knows as false; all others would pass for true. */
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcasecmp(scalar(node), words[i]) == 0)
            return 0;
    }
    return document_fail_at(self, node, "'%.40s' is neither true nor false", scalar(node));
}

static int check_float(document_t *self, const yaml_node_t *node)
{
    char *end;
    strtod(scalar(node), &end);
    if (end == scalar(node) || *end)
        return document_fail_at(self, node, "'%.40s' is not a number", scalar(node));
    return 0;
}

static int check_scalar(document_t *self, const yaml_node_t *node, value_t *schema)
{
    if (node->type != YAML_SCALAR_NODE)
        return document_fail_at(self, node, "expected a single value, not %s", kind_name(node));
    switch ((int)schema->type) {
    case CYAML_STRING:
        return check_string(self, node, schema);
    case CYAML_INT:
    case CYAML_UINT:
        return check_integer(self, node, schema);
    case CYAML_ENUM:
        return check_enum(self, node, schema);
    case CYAML_BOOL:
        return check_bool(self, node);
    case CYAML_FLOAT:
        return check_float(self, node);
    default:
        return 0;
    }
}

/* Recursion is as deep as the schema, not as the file. */
// NOLINTNEXTLINE(misc-no-recursion)
static int check(document_t *self, yaml_node_t *node, value_t *schema)
{
    switch ((int)schema->type) {
    case CYAML_MAPPING:
        return check_mapping(self, node, schema);
    case CYAML_SEQUENCE:
    case CYAML_SEQUENCE_FIXED:
        return check_sequence(self, node, schema);
    case CYAML_IGNORE:
        return 0;
    default:
        return check_scalar(self, node, schema);
    }
}

int document_check(document_t *self, const cyaml_schema_value_t *schema)
{
    self->node[0] = '\0';
    return check(self, yaml_document_get_root_node(&self->yaml), schema);
}

/* ---- finding ------------------------------------------------------------------------------ */

/* The child that the beginning of *name_p names, which is skipped; NULL if there is none. */
static yaml_node_t *step(document_t *self, yaml_node_t *node, const char **name_p)
{
    const char *name = *name_p + (**name_p == '.');
    if (*name == '[' && node->type == YAML_SEQUENCE_NODE) {
        char *end;
        size_t index = strtoul(name + 1, &end, 10);
        size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
        *name_p = *end ? end + 1 : end;
        return index < count
                   ? yaml_document_get_node(&self->yaml, node->data.sequence.items.start[index])
                   : NULL;
    }
    if (node->type != YAML_MAPPING_NODE)
        return NULL;
    size_t length = strcspn(name, ".[");
    AUTO_FREE char *key = xstrndup(name, length);
    *name_p = name + length;
    return value_of(self, node, key);
}

int document_fail(document_t *self, const char *name, const char *format, va_list args)
{
    yaml_node_t *node = yaml_document_get_root_node(&self->yaml);
    const char *rest = name;
    while (node && *rest) {
        yaml_node_t *child = step(self, node, &rest);
        if (!child)
            break;
        node = child;
    }
    return vfail_at(self, name, node, format, args);
}
