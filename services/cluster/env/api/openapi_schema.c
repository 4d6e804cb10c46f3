/* Schemas of the API's types, from the table of fields. */
#include "services/cluster/env/api/openapi.h"

#include "services/cluster/env/custom.h"
#include "services/cluster/env/schema/fields.h"

#include "base/auto.h"
#include "base/mem.h"

/* ---- names and references ----------------------------------------------------------------- */

#define META "io.k8s.apimachinery.pkg.apis.meta.v1."

/* Values that are neither types with fields nor JSON's own. */
static const struct {
    const char *value;
    const char *name;
    const char *v2;
    const char *v3;
} specials[] = {
    {"any", "io.k8s.apimachinery.pkg.runtime.RawExtension", "{\"type\":\"object\"}",
        "{\"type\":\"object\"}"},
    {"int-or-string", "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
        "{\"type\":\"string\",\"format\":\"int-or-string\"}",
        "{\"format\":\"int-or-string\",\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}"},
    {"json", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON", "{}", "{}"},
    {"micro-time", META "MicroTime", "{\"type\":\"string\",\"format\":\"date-time\"}",
        "{\"type\":\"string\",\"format\":\"date-time\"}"},
    {"quantity", "io.k8s.apimachinery.pkg.api.resource.Quantity", "{\"type\":\"string\"}",
        "{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]}"},
    {"time", META "Time", "{\"type\":\"string\",\"format\":\"date-time\"}",
        "{\"type\":\"string\",\"format\":\"date-time\"}"},
};

/* "core/v1.Pod" is io.k8s.api.core.v1.Pod; of a group's name the first part counts. */
static char *name_of_type(const char *type)
{
    const char *rest = strchr(type, '/') + 1;
    if (!strncmp(type, "meta/", 5))
        return xasprintf("%s%s", META, strchr(rest, '.') + 1);
    if (!strncmp(type, "apiextensions/", 14))
        return xasprintf("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.%s", rest);
    return xasprintf("io.k8s.api.%.*s.%s", (int)strcspn(type, "./"), type, rest);
}

/* "example.com" is com.example. */
static char *reversed(const char *group)
{
    AUTO_FREE char *rest = xstrdup(group);
    AUTO_FREE char *result = xstrdup("");
    for (char *dot = rest; dot;) {
        dot = strrchr(rest, '.');
        char *longer = xasprintf("%s%s%s", result, *result ? "." : "", dot ? dot + 1 : rest);
        free(result);
        result = longer;
        if (dot)
            *dot = 0;
    }
    return TAKE(result);
}

char *openapi_schema_name(const served_t *served)
{
    if (!served->kind->custom)
        return name_of_type(served->type);
    AUTO_FREE char *group = reversed(served->group);
    return xasprintf("%s.%s.%s", group, served->version, served->kind->name);
}

json_t *openapi_reference(openapi_form_t form, const char *schema_name)
{
    const char *root = form == OPENAPI_V2 ? "#/definitions/" : "#/components/schemas/";
    return json_pack("{s:o}", "$ref", json_sprintf("%s%s", root, schema_name));
}

/* A version 3 document has references in allOf, because of what stands beside them. */
static json_t *reference(openapi_form_t form, const char *schema_name)
{
    json_t *plain = openapi_reference(form, schema_name);
    return form == OPENAPI_V2 ? plain : json_pack("{s:[o]}", "allOf", plain);
}

/* ---- fields ------------------------------------------------------------------------------- */

static void add_type(json_t *schemas, openapi_form_t form, const char *type);

static json_t *special_schema(json_t *schemas, openapi_form_t form, const char *value)
{
    for (size_t i = 0; i < ARRAY_SIZE(specials); i++) {
        if (strcmp(specials[i].value, value) != 0)
            continue;
        const char *text = form == OPENAPI_V2 ? specials[i].v2 : specials[i].v3;
        json_object_set_new(schemas, specials[i].name, json_loads(text, 0, NULL));
        return reference(form, specials[i].name);
    }
    return NULL;
}

/* The schema of one value of a field. */
static json_t *value_schema(json_t *schemas, openapi_form_t form, const char *value)
{
    if (field_is_type(value)) {
        AUTO_FREE char *name = name_of_type(value);
        add_type(schemas, form, value);
        return reference(form, name);
    }
    json_t *special = special_schema(schemas, form, value);
    if (special)
        return special;
    if (!strcmp(value, "bool"))
        return json_pack("{s:s}", "type", "boolean");
    if (!strcmp(value, "number"))
        return json_pack("{s:s}", "type", value);
    if (!strncmp(value, "int", 3))
        return json_pack("{s:s, s:s}", "type", "integer", "format", value);
    if (!strcmp(value, "list"))
        return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");
    if (!strcmp(value, "bytes"))
        return json_pack("{s:s, s:s}", "type", "string", "format", "byte");
    return json_pack("{s:s}", "type", "string");
}

static void add_list_keys(json_t *schema, const char *list_keys)
{
    json_t *keys = json_array();
    while (*list_keys) {
        size_t length = strcspn(list_keys, ",");
        json_array_append_new(keys, json_stringn(list_keys, length));
        list_keys += length + (list_keys[length] == ',');
    }
    json_object_set_new(schema, "x-kubernetes-list-type", json_string("map"));
    json_object_set_new(schema, "x-kubernetes-list-map-keys", keys);
}

/* How patches and server-side apply merge the field. */
static void add_extensions(json_t *schema, const field_t *field)
{
    bool is_merged = field->flags & FIELD_MERGE;
    bool is_retained = field->flags & FIELD_RETAIN;
    if (field->shape == SHAPE_LIST && field->list_keys)
        add_list_keys(schema, field->list_keys);
    else if (field->shape == SHAPE_LIST)
        json_object_set_new(schema, "x-kubernetes-list-type",
            json_string(field->flags & FIELD_SET ? "set" : "atomic"));
    if (field->flags & FIELD_ATOMIC)
        json_object_set_new(schema, "x-kubernetes-map-type", json_string("atomic"));
    if (field->merge_key)
        json_object_set_new(schema, "x-kubernetes-patch-merge-key", json_string(field->merge_key));
    if (is_merged || is_retained)
        json_object_set_new(schema, "x-kubernetes-patch-strategy",
            json_sprintf("%s%s%s", is_merged ? "merge" : "", is_merged && is_retained ? "," : "",
                is_retained ? "retainKeys" : ""));
}

static json_t *field_schema(json_t *schemas, openapi_form_t form, const field_t *field)
{
    json_t *schema = value_schema(schemas, form, field->value);
    if (field->shape == SHAPE_LIST)
        schema = json_pack("{s:s, s:o}", "type", "array", "items", schema);
    else if (field->shape == SHAPE_MAP)
        schema = json_pack("{s:s, s:o}", "type", "object", "additionalProperties", schema);
    add_extensions(schema, field);
    return schema;
}

/* ---- types -------------------------------------------------------------------------------- */

typedef struct properties {
    json_t *schemas;
    openapi_form_t form;
    json_t *properties;
    json_t *required;
} properties_t;

static void add_fields(properties_t *self, const char *type)
{
    const field_t *field;
    for (size_t i = 0; (field = field_at(type, i)); i++) {
        if (!*field->name) {
            add_fields(self, field->value);
            continue;
        }
        json_object_set_new(
            self->properties, field->name, field_schema(self->schemas, self->form, field));
        if (field->flags & FIELD_NEED)
            json_array_append_new(self->required, json_string(field->name));
    }
}

/* Adds a type's schema once, and those of all its fields. */
static void add_type(json_t *schemas, openapi_form_t form, const char *type)
{
    AUTO_FREE char *name = name_of_type(type);
    properties_t self = {.schemas = schemas, .form = form};
    if (json_object_get(schemas, name))
        return;
    json_t *schema = json_pack("{s:s}", "type", "object");
    json_object_set_new(schemas, name, schema); /* types can contain themselves */
    self.properties = json_object();
    self.required = json_array();
    add_fields(&self, type);
    if (json_array_size(self.required))
        json_object_set(schema, "required", self.required);
    json_object_set_new(schema, "properties", self.properties);
    json_decref(self.required);
}

/* Clients of version 2 cannot know that there may be more fields than are named. */
static void open_up(json_t *schema)
{
    const char *key;
    json_t *member;
    json_t *items = json_object_get(schema, "items");
    json_t *additional = json_object_get(schema, "additionalProperties");
    if (json_is_true(json_object_get(schema, "x-kubernetes-preserve-unknown-fields")))
        json_object_del(schema, "properties");
    json_object_foreach(json_object_get(schema, "properties"), key, member) open_up(member);
    if (items)
        open_up(items);
    if (json_is_object(additional))
        open_up(additional);
}

static void add_custom(json_t *schemas, openapi_form_t form, const served_t *served)
{
    static const char metadata[] = "meta/v1.ObjectMeta";
    AUTO_FREE char *name = openapi_schema_name(served);
    json_t *schema = served->kind->custom->schema ? json_deep_copy(served->kind->custom->schema)
                                                  : json_pack("{s:s}", "type", "object");
    if (form == OPENAPI_V2)
        open_up(schema);
    json_object_set_new(schemas, name, schema);
    if (!json_object_get(schema, "properties"))
        json_object_set_new(schema, "properties", json_object());
    json_object_set_new(
        json_object_get(schema, "properties"), "metadata", value_schema(schemas, form, metadata));
}

void openapi_add_schema(json_t *schemas, openapi_form_t form, const served_t *served)
{
    AUTO_FREE char *name = openapi_schema_name(served);
    if (served->kind->custom)
        add_custom(schemas, form, served);
    else
        add_type(schemas, form, served->type);
    json_t *schema = json_object_get(schemas, name);
    json_t *properties = json_object_get(schema, "properties");
    json_t *names = json_object_get(schema, "x-kubernetes-group-version-kind");
    if (!names) {
        names = json_array();
        json_object_set_new(schema, "x-kubernetes-group-version-kind", names);
        json_object_set_new(properties, "apiVersion", json_pack("{s:s}", "type", "string"));
        json_object_set_new(properties, "kind", json_pack("{s:s}", "type", "string"));
    }
    json_array_append_new(names, json_pack("{s:s, s:s, s:s}", "group", served->group, "version",
                                     served->version, "kind", served->kind->name));
}
