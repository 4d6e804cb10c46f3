/* One state of an object. */
#include "services/cluster/env/version.h"

#include "services/cluster/env/object.h"

#include "base/mem.h"

version_t *version_new(json_t *object, uint64_t number)
{
    version_t *self = xcalloc(1, sizeof(*self));
    self->refs = 1;
    self->number = number;
    self->object = object;
    self->namespace = object_namespace(object);
    self->name = object_name(object);
    return self;
}

version_t *version_ref(version_t *self)
{
    if (self)
        self->refs++;
    return self;
}

void version_unref(version_t **self_p)
{
    version_t *self = *self_p;
    *self_p = NULL;
    if (!self || --self->refs)
        return;
    json_decref(self->object);
    free(self->text);
    free(self);
}

const char *version_text(version_t *self, size_t *size_p)
{
    if (!self->text) {
        self->text = mem_check(json_dumps(self->object, JSON_COMPACT));
        self->size = strlen(self->text);
    }
    *size_p = self->size;
    return self->text;
}
