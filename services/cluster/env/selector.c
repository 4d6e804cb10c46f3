/* What a selector picks. The parsers of its text forms are in selector_parse.c. */
#include "services/cluster/env/selector_internal.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

requirement_t *selector_add(selector_t *self, char *key, selector_op_t op)
{
    self->requirements =
        mem_check(reallocarray(self->requirements, self->count + 1, sizeof(requirement_t)));
    self->requirements[self->count] = (requirement_t){.key = key, .op = op, .values = json_array()};
    return &self->requirements[self->count++];
}

void requirement_add_value(requirement_t *self, const char *value, size_t length)
{
    json_array_append_new(self->values, json_stringn(value, length));
}

void selector_destroy(selector_t **self_p)
{
    selector_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++) {
        free(self->requirements[i].key);
        json_decref(self->requirements[i].values);
    }
    free(self->requirements);
    free(self);
}

/* ---- from a LabelSelector object ---------------------------------------------------------- */

static int add_expression(selector_t *self, const json_t *expression, err_t *err)
{
    static const struct {
        const char *name;
        selector_op_t op;
    } operators[] = {
        {"In", OP_IN}, {"NotIn", OP_NOT_IN}, {"Exists", OP_EXISTS}, {"DoesNotExist", OP_ABSENT}};
    const char *name = object_string(expression, "operator");
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        if (strcmp(name, operators[i].name) != 0)
            continue;
        requirement_t *requirement =
            selector_add(self, xstrdup(object_string(expression, "key")), operators[i].op);
        size_t j;
        json_t *value;
        json_array_foreach(json_object_get(expression, "values"), j, value)
        {
            if (json_is_string(value))
                json_array_append(requirement->values, value);
        }
        return 0;
    }
    return err_set(err, ERR_INVALID, "\"%s\" is not a valid label selector operator", name);
}

selector_t *selector_new(const json_t *label_selector, err_t *err)
{
    AUTO(selector_destroy) selector_t *self = xcalloc(1, sizeof(*self));
    const char *key;
    json_t *value;
    if (!json_is_object(label_selector)) { /* nothing: a key cannot be in an empty set */
        selector_add(self, xstrdup(""), OP_IN);
        return TAKE(self);
    }
    json_object_foreach(json_object_get(label_selector, "matchLabels"), key, value)
    {
        requirement_t *requirement = selector_add(self, xstrdup(key), OP_IN);
        if (json_is_string(value))
            json_array_append(requirement->values, value);
    }
    size_t i;
    json_array_foreach(json_object_get(label_selector, "matchExpressions"), i, value)
    {
        if (add_expression(self, value, err) < 0)
            return NULL;
    }
    return TAKE(self);
}

/* ---- matching ----------------------------------------------------------------------------- */

static bool has_value(const requirement_t *self, const char *value)
{
    size_t i;
    json_t *wanted;
    json_array_foreach(self->values, i, wanted)
    {
        if (!strcmp(json_string_value(wanted), value))
            return true;
    }
    return false;
}

static bool compares(const requirement_t *self, const char *value)
{
    const char *limit = json_string_value(json_array_get(self->values, 0));
    if (!value || !limit)
        return false;
    long long difference = strtoll(value, NULL, 10) - strtoll(limit, NULL, 10);
    return self->op == OP_GREATER ? difference > 0 : difference < 0;
}

/* value is NULL when the label is absent. */
static bool requirement_matches(const requirement_t *self, const char *value)
{
    switch (self->op) {
    case OP_IN:
        return value && has_value(self, value);
    case OP_NOT_IN:
    case OP_NOT_EQUAL:
        return !value || !has_value(self, value);
    case OP_EXISTS:
        return value;
    case OP_ABSENT:
        return !value;
    case OP_GREATER:
    case OP_LESS:
        return compares(self, value);
    }
    return false;
}

bool selector_matches(const selector_t *self, const json_t *labels)
{
    for (size_t i = 0; i < self->count; i++) {
        const requirement_t *requirement = &self->requirements[i];
        if (!requirement_matches(
                requirement, json_string_value(json_object_get(labels, requirement->key))))
            return false;
    }
    return true;
}

static bool field_matches(const requirement_t *self, const json_t *object)
{
    char text[32];
    const json_t *value = object_at(object, self->key);
    if (json_is_integer(value)) {
        snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
        return requirement_matches(self, text);
    }
    if (json_is_boolean(value))
        return requirement_matches(self, json_is_true(value) ? "true" : "false");
    return requirement_matches(self, json_is_string(value) ? json_string_value(value) : "");
}

bool selector_matches_fields(const selector_t *self, const json_t *object)
{
    for (size_t i = 0; i < self->count; i++) {
        if (!field_matches(&self->requirements[i], object))
            return false;
    }
    return true;
}

bool selector_is_empty(const selector_t *self)
{
    return self->count == 0;
}

const char *selector_key(const selector_t *self, size_t i)
{
    return i < self->count ? self->requirements[i].key : NULL;
}

const char *selector_value_of(const selector_t *self, const char *key)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->requirements[i].op == OP_IN && !strcmp(self->requirements[i].key, key))
            return json_string_value(json_array_get(self->requirements[i].values, 0));
    }
    return NULL;
}

bool selector_map_matches(const json_t *map, const json_t *labels)
{
    const char *key;
    json_t *value;
    if (!json_object_size(map))
        return false;
    json_object_foreach((json_t *)map, key, value)
    {
        if (!json_equal(value, json_object_get(labels, key)))
            return false;
    }
    return true;
}
