#include "yaml/yaml_json.h"

#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <yaml.h>

enum {
    DEPTH_LIMIT = 64,
    NODE_LIMIT = 1 << 20, /* aliases multiply: a small text may stand for a huge tree */
};

typedef struct reader {
    const char *name;
    yaml_document_t *document;
    int node_count;
    err_t *err; /* borrowed */
} reader_t;

static json_t *fail(reader_t *self, const yaml_mark_t *mark, const char *what)
{
    err_set(self->err, ERR_INVALID, "%s:%zu:%zu: %s", self->name, mark->line + 1, mark->column + 1,
        what);
    return NULL;
}

/* ---- scalars ----------------------------------------------------------------------------------
 */

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(text, *words) == 0)
            return true;
    }
    return false;
}

static json_t *read_number(const char *text)
{
    if (!strchr("-+.0123456789", text[0]))
        return NULL;
    char *end = NULL;
    errno = 0;
    int base = strncmp(text, "0x", 2) == 0 ? 16 : strncmp(text, "0o", 2) == 0 ? 8 : 10;
    long long whole = strtoll(base == 8 ? text + 2 : text, &end, base);
    if (!*end && errno == 0)
        return json_integer(whole);
    if (text[strspn(text, "-+.0123456789eE")])
        return NULL;
    double number = strtod(text, &end);
    return *end ? NULL : json_real(number);
}

static json_t *read_scalar(reader_t *self, const yaml_node_t *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {
        "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", NULL};
    static const char *const falses[] = {
        "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", NULL};
    const char *text = (const char *)node->data.scalar.value;
    json_t *string = json_stringn(text, node->data.scalar.length);
    if (!string)
        return fail(self, &node->start_mark, "text that is not UTF-8");
    bool is_plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE
                    && strlen(text) == node->data.scalar.length;
    json_t *value = !is_plain                 ? NULL
                    : is_one_of(text, nulls)  ? json_null()
                    : is_one_of(text, trues)  ? json_true()
                    : is_one_of(text, falses) ? json_false()
                                              : read_number(text);
    if (!value)
        return string;
    json_decref(string);
    return value;
}

/* ---- collections ------------------------------------------------------------------------------
 */

static json_t *read_node(reader_t *self, int index, int depth);

static json_t *read_sequence(reader_t *self, const yaml_node_t *node, int depth)
{
    json_t *array = json_array();
    for (const yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        json_t *value = read_node(self, *item, depth);
        if (!value) {
            json_decref(array);
            return NULL;
        }
        json_array_append_new(array, value);
    }
    return array;
}

static int read_pair(reader_t *self, const yaml_node_pair_t *pair, json_t *object, int depth)
{
    const yaml_node_t *key = yaml_document_get_node(self->document, pair->key);
    if (key->type != YAML_SCALAR_NODE
        || strlen((const char *)key->data.scalar.value) != key->data.scalar.length) {
        fail(self, &key->start_mark, "a key must be a string");
        return -1;
    }
    const char *name = (const char *)key->data.scalar.value;
    if (json_object_get(object, name)) {
        AUTO_FREE char *what = xasprintf("key '%.100s' comes twice", name);
        fail(self, &key->start_mark, what);
        return -1;
    }
    json_t *value = read_node(self, pair->value, depth);
    if (value && json_object_set_new(object, name, value) < 0) {
        fail(self, &key->start_mark, "a key that is not UTF-8");
        return -1;
    }
    return value ? 0 : -1;
}

static json_t *read_mapping(reader_t *self, const yaml_node_t *node, int depth)
{
    json_t *object = json_object();
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        if (read_pair(self, pair, object, depth) < 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *read_node(reader_t *self, int index, int depth)
{
    const yaml_node_t *node = yaml_document_get_node(self->document, index);
    if (depth > DEPTH_LIMIT)
        return fail(self, &node->start_mark, "nested too deeply");
    if (++self->node_count > NODE_LIMIT)
        return fail(self, &node->start_mark, "too large when its aliases are written out");
    switch (node->type) {
    case YAML_SCALAR_NODE:
        return read_scalar(self, node);
    case YAML_SEQUENCE_NODE:
        return read_sequence(self, node, depth + 1);
    case YAML_MAPPING_NODE:
        return read_mapping(self, node, depth + 1);
    case YAML_NO_NODE:
        break;
    }
    return fail(self, &node->start_mark, "nothing that can be read");
}

/* ---- documents --------------------------------------------------------------------------------
 */

static int fail_syntax(const char *name, const yaml_parser_t *parser, err_t *err)
{
    return err_set(err, ERR_INVALID, "%s:%zu:%zu: %s", name, parser->problem_mark.line + 1,
        parser->problem_mark.column + 1, parser->problem ? parser->problem : "not YAML");
}

/* Appends the next document; 1 after the last. */
static int read_document(yaml_parser_t *parser, const char *name, json_t *documents, err_t *err)
{
    yaml_document_t document;
    if (!yaml_parser_load(parser, &document))
        return fail_syntax(name, parser, err);
    int rc = 1;
    if (yaml_document_get_root_node(&document)) {
        reader_t reader = {.name = name, .document = &document, .err = err};
        json_t *value = read_node(&reader, 1, 0);
        rc = value ? 0 : -ERR_INVALID;
        if (value && !json_is_null(value))
            json_array_append(documents, value);
        json_decref(value);
    }
    yaml_document_delete(&document);
    return rc;
}

int yaml_json_parse(
    const char *name, const char *text, size_t size, json_t **documents_p, err_t *err)
{
    json_auto_t *documents = json_array();
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        abort(); /* out of memory */
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    int rc = 0;
    while (rc == 0)
        rc = read_document(&parser, name, documents, err);
    yaml_parser_delete(&parser);
    if (rc < 0)
        return rc;
    *documents_p = json_incref(documents);
    return 0;
}

int yaml_json_load(const char *path, json_t **documents_p, err_t *err)
{
    AUTO_FREE char *text = NULL;
    size_t capacity = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return err_set(err, ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    ssize_t size = getdelim(&text, &capacity, EOF, file);
    bool is_empty = size < 0 && feof(file);
    fclose(file);
    if (size < 0 && !is_empty)
        return err_set(err, ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    return yaml_json_parse(
        path, size < 0 ? "" : text, size < 0 ? 0 : (size_t)size, documents_p, err);
}
