#include "services/cluster/env/kinds/volume_cells.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

static const struct mode {
    const char *name;
    const char *shown;
} modes_known[] = {
    {"ReadWriteOnce", "RWO"},
    {"ReadOnlyMany", "ROX"},
    {"ReadWriteMany", "RWX"},
    {"ReadWriteOncePod", "RWOP"},
};

static bool has_text(const json_t *texts, const char *name)
{
    size_t i;
    json_t *text;
    json_array_foreach(texts, i, text)
    {
        if (json_is_string(text) && strcmp(json_string_value(text), name) == 0)
            return true;
    }
    return false;
}

void cells_access_modes(json_t *cells, const json_t *modes)
{
    char text[32] = "";
    size_t length = 0;
    for (size_t i = 0; i < ARRAY_SIZE(modes_known); i++) {
        if (!has_text(modes, modes_known[i].name))
            continue;
        length += (size_t)snprintf(
            text + length, sizeof(text) - length, "%s%s", length ? "," : "", modes_known[i].shown);
    }
    cells_string(cells, text);
}

void check_access_modes(causes_t *causes, const json_t *modes)
{
    static const char *const supported[] = {
        "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod", NULL};
    size_t i;
    json_t *mode;
    if (!json_array_size(modes))
        causes_required(causes, "spec.accessModes", "at least 1 access mode is required");
    json_array_foreach(modes, i, mode)
    {
        bool is_known = false;
        for (size_t j = 0; supported[j]; j++)
            is_known =
                is_known
                || strcmp(json_string_value(mode) ? json_string_value(mode) : "", supported[j])
                       == 0;
        AUTO_FREE char *field = xasprintf("spec.accessModes[%zu]", i);
        if (!is_known)
            causes_unsupported(causes, field, mode, supported);
    }
}

void add_protection(json_t *object, const char *finalizer)
{
    json_t *metadata = json_object_get(object, "metadata");
    if (!json_is_array(json_object_get(metadata, "finalizers")))
        json_object_set_new(metadata, "finalizers", json_array());
    json_t *finalizers = json_object_get(metadata, "finalizers");
    if (!has_text(finalizers, finalizer))
        json_array_append_new(finalizers, json_string(finalizer));
}
