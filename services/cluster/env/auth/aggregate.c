#include "services/cluster/env/auth/aggregate.h"

#include "services/cluster/env/object.h"
#include "services/cluster/env/selector.h"

#include "base/auto.h"

#include <string.h>

typedef struct gathering {
    const char *name; /* of the role itself, which is not its own part */
    selector_t *selector;
    json_t *rules;
} gathering_t;

static bool is_known(const json_t *rules, const json_t *wanted)
{
    size_t i;
    json_t *rule;
    json_array_foreach((json_t *)rules, i, rule)
    {
        if (json_equal(rule, wanted))
            return true;
    }
    return false;
}

static void gather(void *arg, json_t *role)
{
    gathering_t *self = arg;
    size_t i;
    json_t *rule;
    if (!strcmp(object_name(role), self->name)
        || !selector_matches(self->selector, object_at(role, "metadata.labels")))
        return;
    json_array_foreach(json_object_get(role, "rules"), i, rule)
    {
        if (!is_known(self->rules, rule))
            json_array_append(self->rules, rule);
    }
}

json_t *aggregate_rules(store_t *store, const json_t *role)
{
    gathering_t gathering = {.name = object_name(role), .rules = json_array()};
    size_t i;
    json_t *each;
    json_array_foreach(object_at(role, "aggregationRule.clusterRoleSelectors"), i, each)
    {
        gathering.selector = selector_new(each, NULL); /* one that is none picks nothing */
        if (gathering.selector)
            store_each(store, kind_find("ClusterRole"), NULL, gather, &gathering);
        selector_destroy(&gathering.selector);
    }
    return gathering.rules;
}
