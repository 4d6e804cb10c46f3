/* The messages of Kubernetes' field.Error, as validation collects them. */
#include "services/cluster/env/causes.h"

#include "base/auto.h"
#include "base/mem.h"

void causes_init(causes_t *self)
{
    self->list = json_array();
}

void causes_done(causes_t *self)
{
    json_decref(self->list);
    self->list = NULL;
}

bool causes_is_empty(const causes_t *self)
{
    return json_array_size(self->list) == 0;
}

static void add(causes_t *self, const char *reason, const char *field, char *message)
{
    json_array_append_new(self->list,
        json_pack("{s:s, s:s, s:s}", "reason", reason, "message", message, "field", field));
    free(message);
}

/* Go's %v or %q of a value: strings in quotes, the rest as JSON. */
static char *shown_value(const json_t *value)
{
    if (!value)
        return xstrdup("null");
    return mem_check(json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY));
}

void causes_required(causes_t *self, const char *field, const char *detail)
{
    add(self, "FieldValueRequired", field,
        detail ? xasprintf("Required value: %s", detail) : xstrdup("Required value"));
}

void causes_invalid_text(causes_t *self, const char *field, const char *shown, const char *detail)
{
    add(self, "FieldValueInvalid", field, xasprintf("Invalid value: %s: %s", shown, detail));
}

void causes_invalid(causes_t *self, const char *field, const json_t *value, const char *detail)
{
    AUTO_FREE char *shown = shown_value(value);
    causes_invalid_text(self, field, shown, detail);
}

void causes_wrong_type(causes_t *self, const char *field, const char *type, const char *detail)
{
    add(self, "FieldValueTypeInvalid", field, xasprintf("Invalid value: \"%s\": %s", type, detail));
}

void causes_too_long(causes_t *self, const char *field, int64_t most)
{
    add(self, "FieldValueTooLong", field,
        xasprintf("Too long: may not be longer than %lld", (long long)most));
}

void causes_too_many(causes_t *self, const char *field, int64_t count, int64_t most)
{
    add(self, "FieldValueTooMany", field,
        xasprintf(
            "Too many: %lld: must have at most %lld items", (long long)count, (long long)most));
}

void causes_forbidden(causes_t *self, const char *field, const char *detail)
{
    add(self, "FieldValueForbidden", field, xasprintf("Forbidden: %s", detail));
}

void causes_duplicate(causes_t *self, const char *field, const json_t *value)
{
    AUTO_FREE char *shown = shown_value(value);
    add(self, "FieldValueDuplicate", field, xasprintf("Duplicate value: %s", shown));
}

void causes_not_found(causes_t *self, const char *field, const json_t *value)
{
    AUTO_FREE char *shown = shown_value(value);
    add(self, "FieldValueNotFound", field, xasprintf("Not found: %s", shown));
}

void causes_unsupported(
    causes_t *self, const char *field, const json_t *value, const char *const *supported)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&text, &size));
    AUTO_FREE char *shown = shown_value(value);
    fprintf(out, "Unsupported value: %s: supported values: ", shown);
    for (size_t i = 0; supported[i]; i++)
        fprintf(out, "%s\"%s\"", i ? ", " : "", supported[i]);
    fclose(out);
    add(self, "FieldValueNotSupported", field, text);
}

char *causes_text(const causes_t *self)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&text, &size));
    bool is_many = json_array_size(self->list) > 1;
    size_t i;
    json_t *cause;
    fputs(is_many ? "[" : "", out);
    json_array_foreach(self->list, i, cause)
        fprintf(out, "%s%s: %s", i ? ", " : "", json_string_value(json_object_get(cause, "field")),
            json_string_value(json_object_get(cause, "message")));
    fputs(is_many ? "]" : "", out);
    fclose(out);
    return text;
}
