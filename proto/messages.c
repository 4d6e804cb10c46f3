#include "proto/messages.h"

#include "base/auto.h"
#include "base/mem.h"

#include <pthread.h>
#include <string.h>

enum { REQUIRED = 0, OPTIONAL = 1, ONCE = 0, AGAIN = 1 };
enum {
    SERVICES = CODEC_SERVICE,
    OPERATORS = CODEC_OPERATOR,
    ANYBODY = CODEC_SERVICE | CODEC_OPERATOR | CODEC_AGENT
};

/* clang-format off */

/* First the tables of fields, each with an empty entry behind it, since C has no empty arrays … */
#define MESSAGE(name, wire, target, roles, idempotent, doc)                                        \
    static const codec_field_t name##_fields[] = {
#define FIELD(message, kind, name, need, doc)                                                      \
        {#name, CODEC_##kind, offsetof(message##_t, name), need, doc},
#define END(name)                                                                                  \
        {0}};
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END

/* … then the types … */
#define MESSAGE(name, wire, target, roles, idempotent, doc)                                        \
    const codec_type_t name##_type = {wire, target, roles, idempotent, doc, sizeof(name##_t),      \
        name##_fields, ARRAY_SIZE(name##_fields) - 1};
#define FIELD(message, kind, name, need, doc)
#define END(name)
#include "proto/messages.def"
#undef MESSAGE

/* … then the list of them. */
#define MESSAGE(name, wire, target, roles, idempotent, doc) &name##_type,
static const codec_type_t *const types[] = {
#include "proto/messages.def"
};

/* clang-format on */

const codec_type_t *const *codec_types(size_t *count_p)
{
    *count_p = ARRAY_SIZE(types);
    return types;
}

/* ---- finding a type by its name ------------------------------------------------------------- */

enum { SLOTS = 512 }; /* a power of two, several times the number of types */

static const codec_type_t *s_slots[SLOTS]; /* written once, then only read */
static pthread_once_t s_filled = PTHREAD_ONCE_INIT;

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static size_t slot_of(const char *name, size_t size)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)name[i]) * 16777619U;
    return hash & (SLOTS - 1);
}

static void fill_slots(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        const char *name = types[i]->name;
        size_t slot = slot_of(name, strlen(name));
        while (s_slots[slot])
            slot = (slot + 1) & (SLOTS - 1);
        s_slots[slot] = types[i];
    }
}

const codec_type_t *codec_find(const char *name, size_t size)
{
    pthread_once(&s_filled, fill_slots);
    for (size_t slot = slot_of(name, size); s_slots[slot]; slot = (slot + 1) & (SLOTS - 1)) {
        if (strlen(s_slots[slot]->name) == size && memcmp(s_slots[slot]->name, name, size) == 0)
            return s_slots[slot];
    }
    return NULL;
}
