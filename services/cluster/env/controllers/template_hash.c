#include "services/cluster/env/controllers/template_hash.h"

#include "base/auto.h"
#include "base/mem.h"

void template_hash(const json_t *template, int64_t salt, char hash[TEMPLATE_HASH_SIZE])
{
    static const char safe[] = "bcdfghjklmnpqrstvwxz2456789";
    AUTO_FREE char *text = mem_check(json_dumps(template, JSON_COMPACT | JSON_SORT_KEYS));
    uint32_t value = 2166136261u;
    for (const char *c = text; *c; c++)
        value = (value ^ (uint8_t)*c) * 16777619u;
    value += (uint32_t)salt;
    (void)snprintf(hash, TEMPLATE_HASH_SIZE, "%u", value);
    for (char *c = hash; *c; c++)
        *c = safe[(uint8_t)*c % (sizeof(safe) - 1)];
}
