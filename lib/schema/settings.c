#include "schema/settings.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "schema/document.h"

#include <stdbool.h>
#include <string.h>

struct settings {
    document_t document;
    char *path;
};

static const char *scalar(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

/* `name:` with nothing behind it. */
static bool is_nothing(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && !*scalar(node);
}

static yaml_node_t *node_at(settings_t *self, int index)
{
    return yaml_document_get_node(&self->document.yaml, index);
}

static int fail_unknown(settings_t *self, const yaml_node_t *key, const char *what,
    const char *const *names, size_t count)
{
    AUTO_FREE char *hint = nearest_hint(scalar(key), names, count);
    AUTO_FREE char *all = xstrdup("");
    for (size_t i = 0; i < count && !*hint; i++) {
        char *longer = xasprintf("%s%s%s", all, i ? ", " : "expected one of: ", names[i]);
        free(all);
        all = longer;
    }
    return document_fail_at(
        &self->document, key, "there is no %s '%.40s'; %s%s", what, scalar(key), hint, all);
}

static int expect_mapping(settings_t *self, const yaml_node_t *node, const char *of)
{
    return node->type == YAML_MAPPING_NODE || is_nothing(node)
               ? 0
               : document_fail_at(&self->document, node, "expected a mapping of %s", of);
}

static int expect_text(settings_t *self, const yaml_node_t *node, const char *of)
{
    return node->type == YAML_SCALAR_NODE
               ? 0
               : document_fail_at(&self->document, node, "expected %s", of);
}

/* The key of a pair must be text, and in the mapping once. */
static int check_key(settings_t *self, const yaml_node_t *mapping, const yaml_node_pair_t *pair)
{
    const yaml_node_t *key = node_at(self, pair->key);
    int rc = expect_text(self, key, "a name");
    for (yaml_node_pair_t *other = mapping->data.mapping.pairs.start; rc == 0 && other < pair;
         other++) {
        if (strcmp(scalar(node_at(self, other->key)), scalar(key)) == 0)
            rc = document_fail_at(&self->document, key, "'%.40s' is there twice", scalar(key));
    }
    return rc;
}

/* ---- programs ------------------------------------------------------------------------------ */

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static int check_programs(settings_t *self, const char *const *programs, size_t count)
{
    const yaml_node_t *root = yaml_document_get_root_node(&self->document.yaml);
    int rc = expect_mapping(self, root, "programs");
    if (rc < 0 || is_nothing(root))
        return rc;
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         rc == 0 && pair < root->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = node_at(self, pair->key);
        rc = check_key(self, root, pair);
        if (rc == 0 && programs && !is_among(scalar(key), programs, count))
            rc = fail_unknown(self, key, "program", programs, count);
        if (rc == 0)
            rc = expect_mapping(self, node_at(self, pair->value), "settings");
    }
    return rc;
}

int settings_check(settings_t *self, const char *const *programs, size_t count, err_t *err)
{
    self->document.err = err;
    return check_programs(self, programs, count);
}

/* ---- options ------------------------------------------------------------------------------- */

static bool is_setting(const struct argp_option *option)
{
    return option->name && strcmp(option->name, "config") != 0;
}

static bool is_end(const struct argp_option *option)
{
    return !option->name && !option->key && !option->doc;
}

static const struct argp_option *find(const struct argp_option *options, const char *name)
{
    for (; !is_end(options); options++) {
        if (is_setting(options) && strcmp(options->name, name) == 0)
            return options;
    }
    return NULL;
}

static int fail_no_setting(
    settings_t *self, const yaml_node_t *key, const struct argp_option *options)
{
    size_t count = 0;
    while (!is_end(&options[count]))
        count++;
    AUTO_FREE const char **names = xcalloc(count + 1, sizeof(*names));
    count = 0;
    for (; !is_end(options); options++) {
        if (is_setting(options))
            names[count++] = options->name;
    }
    return fail_unknown(self, key, "setting", names, count);
}

/* One without an argument is there, or it is not. */
static int take_flag(settings_t *self, const struct argp_option *option, const yaml_node_t *value,
    settings_fn *take, void *arg)
{
    if (strcmp(scalar(value), "false") == 0)
        return 0;
    if (strcmp(scalar(value), "true") == 0)
        return take(arg, option->key, NULL, self->document.err);
    return document_fail_at(&self->document, value, "expected true or false");
}

static int take_value(settings_t *self, const struct argp_option *option, const yaml_node_t *value,
    settings_fn *take, void *arg)
{
    err_t err = {0};
    AUTO_FREE char *expected = xasprintf("a single value for '%s'", option->name);
    int rc = expect_text(self, value, expected);
    if (rc < 0)
        return rc;
    if (!option->arg)
        return take_flag(self, option, value, take, arg);
    if (is_nothing(value))
        return document_fail_at(&self->document, value, "expected %s", expected);
    rc = take(arg, option->key, (char *)scalar(value), &err);
    return rc < 0 ? document_fail_at(&self->document, value, "%s", err.text) : 0;
}

static int take_pair(settings_t *self, const yaml_node_pair_t *pair,
    const struct argp_option *options, settings_fn *take, void *arg)
{
    const yaml_node_t *key = node_at(self, pair->key);
    const struct argp_option *option = find(options, scalar(key));
    return option ? take_value(self, option, node_at(self, pair->value), take, arg)
                  : fail_no_setting(self, key, options);
}

static const yaml_node_t *section_of(settings_t *self, const char *program)
{
    const yaml_node_t *root = yaml_document_get_root_node(&self->document.yaml);
    if (is_nothing(root))
        return NULL;
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        if (strcmp(scalar(node_at(self, pair->key)), program) == 0)
            return node_at(self, pair->value);
    }
    return NULL;
}

int settings_take(settings_t *self, const char *program, const struct argp_option *options,
    settings_fn *take, void *arg, err_t *err)
{
    self->document.err = err;
    int rc = check_programs(self, NULL, 0);
    const yaml_node_t *section = rc == 0 ? section_of(self, program) : NULL;
    if (!section || is_nothing(section))
        return rc;
    for (yaml_node_pair_t *pair = section->data.mapping.pairs.start;
         rc == 0 && pair < section->data.mapping.pairs.top; pair++) {
        rc = check_key(self, section, pair);
        if (rc == 0)
            rc = take_pair(self, pair, options, take, arg);
    }
    return rc;
}

/* ---- life cycle ---------------------------------------------------------------------------- */

settings_t *settings_new(const char *path, err_t *err)
{
    AUTO(settings_destroy) settings_t *self = xcalloc(1, sizeof(*self));
    self->path = xstrdup(path);
    return document_init(&self->document, self->path, err) < 0 ? NULL : TAKE(self);
}

void settings_destroy(settings_t **self_p)
{
    settings_t *self = TAKE(*self_p);
    if (!self)
        return;
    document_done(&self->document);
    free(self->path);
    free(self);
}
