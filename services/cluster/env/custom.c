/* From definitions to kinds. */
#include "services/cluster/env/custom.h"

#include "services/cluster/env/json_path.h"
#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/schema/structural.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>

struct custom {
    char *name;
    json_t *definition; /* the last one */
    bool is_live;
    const char **short_names;
    const char **categories;
    custom_kind_t **kinds; /* the stored form, then each version that there ever was */
    size_t kind_count;
};

/* ---- reading ------------------------------------------------------------------------------ */

/* A NULL-terminated array of an array's strings, borrowed; NULL if it has none. */
static const char **texts_of(const json_t *list)
{
    size_t count = json_array_size(list);
    const char **texts = count ? xcalloc(count + 1, sizeof(*texts)) : NULL;
    for (size_t i = 0; i < count; i++)
        texts[i] = json_string_value(json_array_get(list, i));
    return texts;
}

static kind_column_t *columns_of(const json_t *printed)
{
    size_t count = json_array_size(printed);
    kind_column_t *columns = xcalloc(count + 3, sizeof(*columns));
    columns[0] = (kind_column_t)COLUMN_NAME;
    if (!count)
        columns[1] = (kind_column_t){"Age", "date", "", 0};
    for (size_t i = 0; i < count; i++) {
        const json_t *column = json_array_get(printed, i);
        columns[i + 1] =
            (kind_column_t){object_string(column, "name"), object_string(column, "type"),
                object_string(column, "format"), (int)object_integer(column, "priority", 0)};
    }
    return columns;
}

static custom_kind_t *add_kind(custom_t *self, const char *version)
{
    custom_kind_t *kind = xcalloc(1, sizeof(*kind));
    self->kinds = mem_check(reallocarray(self->kinds, self->kind_count + 1, sizeof(*self->kinds)));
    self->kinds[self->kind_count++] = kind;
    kind->definition = self;
    kind->version = xstrdup(version);
    return kind;
}

static custom_kind_t *kind_of_version(custom_t *self, const char *version)
{
    for (size_t i = 1; i < self->kind_count; i++) {
        if (!strcmp(self->kinds[i]->version, version))
            return self->kinds[i];
    }
    return add_kind(self, version);
}

/* What all versions have in common, so that not even those that are gone point nowhere. */
static void read_names(custom_t *self, custom_kind_t *kind)
{
    const json_t *spec = json_object_get(self->definition, "spec");
    const json_t *names = object_at(self->definition, "status.acceptedNames");
    free(kind->columns);
    kind->schema = kind->scale = kind->printed = NULL;
    kind->is_served = kind->is_deprecated = false;
    kind->columns = columns_of(NULL);
    free(kind->api_version);
    free(kind->qualified);
    kind->api_version = xasprintf("%s/%s", object_string(spec, "group"), kind->version);
    kind->qualified = xstrdup(self->name);
    kind->kind = (kind_t){.name = object_string(names, "kind"),
        .group = object_string(spec, "group"),
        .version = kind->version,
        .plural = object_string(names, "plural"),
        .singular = object_string(names, "singular"),
        .type = "custom.Object",
        .short_names = self->short_names,
        .categories = self->categories,
        .is_namespaced = !strcmp(object_string(spec, "scope"), "Namespaced"),
        .has_generation = true,
        .columns = kind->columns,
        .custom = kind};
}

static void read_version(custom_kind_t *kind, const json_t *version)
{
    kind->schema = object_at(version, "schema.openAPIV3Schema");
    kind->scale = object_at(version, "subresources.scale");
    kind->printed = json_object_get(version, "additionalPrinterColumns");
    kind->is_deprecated = object_is_true(version, "deprecated");
    kind->kind.has_status = object_at(version, "subresources.status");
    kind->kind.has_scale = kind->scale;
    free(kind->columns);
    kind->columns = columns_of(kind->printed);
    kind->kind.columns = kind->columns;
}

static bool is_established(const json_t *definition)
{
    return !strcmp(object_string(object_condition(definition, "Established"), "status"), "True");
}

static void read_versions(custom_t *self)
{
    size_t i;
    json_t *version;
    json_array_foreach(object_at(self->definition, "spec.versions"), i, version)
    {
        custom_kind_t *kind = kind_of_version(self, object_string(version, "name"));
        read_names(self, kind);
        read_version(kind, version);
        kind->is_served = object_is_true(version, "served");
        if (!object_is_true(version, "storage"))
            continue;
        custom_kind_t *stored = self->kinds[0];
        free(stored->version);
        stored->version = xstrdup(kind->version);
        read_names(self, stored);
        read_version(stored, version);
    }
}

custom_t *custom_read(custom_t *self, json_t *definition)
{
    if (!self) {
        self = xcalloc(1, sizeof(*self));
        self->name = xstrdup(object_name(definition));
        add_kind(self, "");
    }
    json_t *old = self->definition;
    free(self->short_names);
    free(self->categories);
    self->definition = json_incref(definition);
    self->short_names = texts_of(object_at(definition, "status.acceptedNames.shortNames"));
    self->categories = texts_of(object_at(definition, "status.acceptedNames.categories"));
    for (size_t i = 0; i < self->kind_count; i++)
        read_names(self, self->kinds[i]);
    read_versions(self);
    self->is_live = is_established(definition);
    json_decref(old);
    return self;
}

void custom_leave(custom_t *self)
{
    self->is_live = false;
}

void custom_destroy(custom_t **self_p)
{
    custom_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t i = 0; i < self->kind_count; i++) {
        custom_kind_t *kind = self->kinds[i];
        free(kind->version);
        free(kind->api_version);
        free(kind->qualified);
        free(kind->columns);
        free(kind);
    }
    free(self->kinds);
    free(self->short_names);
    free(self->categories);
    json_decref(self->definition);
    free(self->name);
    free(self);
}

/* ---- asking ------------------------------------------------------------------------------- */

const char *custom_name(const custom_t *self)
{
    return self->name;
}

bool custom_is_live(const custom_t *self)
{
    return self->is_live;
}

bool custom_is_leaving(const custom_t *self)
{
    return object_is_deleted(self->definition);
}

const kind_t *custom_stored(const custom_t *self)
{
    return &self->kinds[0]->kind;
}

const kind_t *custom_served(const kind_t *kind, const char *version)
{
    const custom_t *self = kind->custom->definition;
    for (size_t i = 1; i < self->kind_count; i++) {
        if (self->kinds[i]->is_served && !strcmp(self->kinds[i]->version, version))
            return &self->kinds[i]->kind;
    }
    return NULL;
}

/* Kubernetes' order of versions: v2 before v1 before v2beta1 before v1alpha1 before others. */
static long rank_of(const char *version)
{
    char stage[8] = "";
    int major = 0;
    int minor = 0;
    int end = 0;
    if (sscanf(version, "v%d%n", &major, &end) == 1 && !version[end])
        return 2000000L + major * 1000L;
    if (sscanf(version, "v%d%7[a-z]%d%n", &major, stage, &minor, &end) == 3 && !version[end])
        return (!strcmp(stage, "beta") ? 1000000L : 0) + major * 1000L + minor;
    return -1;
}

/* Whether a comes before b. */
static bool is_before(const custom_kind_t *a, const custom_kind_t *b)
{
    long left = rank_of(a->version);
    long right = rank_of(b->version);
    return left != right ? left > right : strcmp(a->version, b->version) < 0;
}

const kind_t *custom_served_at(const kind_t *kind, size_t i)
{
    const custom_t *self = kind->custom->definition;
    for (size_t j = 1; j < self->kind_count; j++) {
        size_t before = 0;
        if (!self->kinds[j]->is_served)
            continue;
        for (size_t k = 1; k < self->kind_count; k++)
            before +=
                self->kinds[k]->is_served && k != j && is_before(self->kinds[k], self->kinds[j]);
        if (before == i)
            return &self->kinds[j]->kind;
    }
    return NULL;
}

/* ---- objects ------------------------------------------------------------------------------ */

void custom_shape(const kind_t *kind, json_t *object, json_t *unknown)
{
    const json_t *schema = kind->custom->schema;
    if (!schema)
        return;
    structural_prune(schema, object, unknown);
    structural_default(schema, object);
}

void custom_validate(const kind_t *kind, const json_t *object, causes_t *causes)
{
    check_metadata(causes, object, NAME_SUBDOMAIN);
    if (kind->custom->schema)
        structural_validate(kind->custom->schema, object, causes);
}

/* A value as its column's type wants it: null if it is of another. */
static json_t *cell_of(const json_t *value, const char *type, time_t now)
{
    char age[DURATION_SIZE];
    bool is_right = (!strcmp(type, "integer") && json_is_integer(value))
                    || (!strcmp(type, "number") && json_is_number(value))
                    || (!strcmp(type, "boolean") && json_is_boolean(value));
    if (is_right)
        return json_incref((json_t *)value);
    if (!strcmp(type, "date") && json_is_string(value)) {
        time_t at = object_time_parse(json_string_value(value));
        human_duration(age, (int64_t)(now - at));
        return json_string(at < 0 ? "<invalid>" : age);
    }
    if (strcmp(type, "string") != 0 || !value || json_is_null(value))
        return json_null();
    if (json_is_string(value))
        return json_incref((json_t *)value);
    AUTO_FREE char *text = mem_check(json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY));
    return json_string(text);
}

void custom_row(const kind_t *kind, const json_t *object, time_t now, json_t *cells)
{
    size_t i;
    json_t *column;
    cells_string(cells, object_name(object));
    if (!json_array_size(kind->custom->printed))
        cells_age(cells, object, now);
    json_array_foreach((json_t *)kind->custom->printed, i, column) json_array_append_new(
        cells, cell_of(json_path_first(object, object_string(column, "jsonPath")),
                   object_string(column, "type"), now));
}
