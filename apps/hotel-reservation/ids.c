#include "apps/hotel-reservation/ids.h"

#include <string.h>

static int is_id(const char *text)
{
    size_t length = text ? strlen(text) : 0;
    return length > 0 && length <= 64 && strcspn(text, " \t\r\n") == length;
}

int ids_read(const json_t *request, const char *name, ids_t *ids_p, err_t *err)
{
    const json_t *array = json_object_get(request, name);
    if (!json_is_array(array) || json_array_size(array) > IDS_LIMIT)
        return err_set(
            err, ERR_INVALID, "'%s' must be an array of at most %d ids", name, IDS_LIMIT);
    ids_p->count = json_array_size(array);
    for (size_t i = 0; i < ids_p->count; i++) {
        ids_p->list[i] = json_string_value(json_array_get(array, i));
        if (!is_id(ids_p->list[i]))
            return err_set(err, ERR_INVALID, "'%s' holds something that is no id", name);
    }
    return 0;
}
