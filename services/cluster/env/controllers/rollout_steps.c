/* What a rollout does next: one step at a time, each answered by a change that calls for the next.
 */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/owned.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/controllers/rollout.h"
#include "services/cluster/env/object.h"

#include <math.h>

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- rolling update ----------------------------------------------------------------------- */

/* How many replicas the current set may have now, if it has `now`. */
static int64_t grown(const rollout_t *self, int64_t now)
{
    int64_t wanted = rollout_wanted(self);
    if (!rollout_is_rolling(self))
        return wanted;
    int64_t room = wanted + rollout_max_surge(self) - rollout_sum(self, "spec.replicas", true);
    return room <= 0 ? now : now + least(room, wanted - now);
}

int64_t rollout_first_replicas(const rollout_t *self)
{
    return grown(self, 0);
}

static bool reconcile_current(rollout_t *self)
{
    int64_t now = set_wanted(self->current);
    int64_t wanted = rollout_wanted(self);
    if (now == wanted)
        return false;
    int64_t next = now > wanted ? wanted : grown(self, now);
    return rollout_scale_set(self, self->current, next);
}

/* Takes away up to `budget` old replicas that are not available anyway. */
static int64_t drop_unhealthy(rollout_t *self, int64_t budget)
{
    int64_t dropped = 0;
    size_t i = 0;
    json_t *set = NULL;
    json_array_foreach(self->sets, i, set)
    {
        int64_t now = set_wanted(set);
        int64_t sick = now - object_integer(set, "status.availableReplicas", 0);
        int64_t count = least(budget - dropped, sick);
        if (set != self->current && count > 0 && rollout_scale_set(self, set, now - count))
            dropped += count;
    }
    return dropped;
}

/* Takes away as many healthy old replicas as are available beyond what must be. */
static int64_t drop_spare(rollout_t *self, int64_t spare)
{
    int64_t dropped = 0;
    size_t i = 0;
    json_t *set = NULL;
    json_array_foreach(self->sets, i, set)
    {
        int64_t now = set_wanted(set);
        int64_t count = least(spare - dropped, now);
        if (set != self->current && count > 0 && rollout_scale_set(self, set, now - count))
            dropped += count;
    }
    return dropped;
}

static bool reconcile_old(rollout_t *self)
{
    if (rollout_sum(self, "spec.replicas", false) == 0)
        return false;
    int64_t must = rollout_wanted(self) - rollout_max_unavailable(self);
    int64_t coming =
        set_wanted(self->current) - object_integer(self->current, "status.availableReplicas", 0);
    int64_t budget = rollout_sum(self, "spec.replicas", true) - must - coming;
    if (budget <= 0)
        return false;
    int64_t unhealthy = drop_unhealthy(self, budget);
    rollout_reload(self);
    int64_t spare = rollout_sum(self, "status.availableReplicas", true) - must;
    spare = least(spare, budget - unhealthy);
    return (spare > 0 && drop_spare(self, spare) > 0) || unhealthy > 0;
}

bool rollout_roll(rollout_t *self)
{
    rollout_ensure_current(self, true);
    return self->current && (reconcile_current(self) || reconcile_old(self));
}

/* ---- recreation --------------------------------------------------------------------------- */

static bool has_pods(const rollout_t *self, const json_t *set)
{
    json_auto_t *pods = owned_claim(self->store, kind_find("Pod"), set);
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(pods, i, pod)
    {
        if (!pod_is_ended(pod))
            return true;
    }
    return false;
}

static bool has_old_pods(const rollout_t *self)
{
    size_t i = 0;
    json_t *set = NULL;
    json_array_foreach(self->sets, i, set)
    {
        if (set != self->current && has_pods(self, set))
            return true;
    }
    return false;
}

bool rollout_recreate(rollout_t *self)
{
    rollout_ensure_current(self, false);
    if (drop_spare(self, rollout_sum(self, "spec.replicas", false)) > 0)
        return true;
    if (has_old_pods(self))
        return false;
    rollout_ensure_current(self, true);
    return self->current && rollout_scale_set(self, self->current, rollout_wanted(self));
}

/* ---- resizing ----------------------------------------------------------------------------- */

bool rollout_is_resized(const rollout_t *self)
{
    size_t i = 0;
    json_t *set = NULL;
    json_array_foreach(self->sets, i, set)
    {
        const char *desired = object_annotation(set, "deployment.kubernetes.io/desired-replicas");
        if (set_wanted(set) > 0 && desired && strtoll(desired, NULL, 10) != rollout_wanted(self))
            return true;
    }
    return false;
}

/* The only set with replicas, or, if none has any, the current or newest; NULL if several have. */
static json_t *only_active(const rollout_t *self)
{
    json_t *active = NULL;
    size_t i = 0;
    json_t *set = NULL;
    json_array_foreach(self->sets, i, set)
    {
        if (set_wanted(set) == 0)
            continue;
        if (active)
            return NULL;
        active = set;
    }
    json_t *newest = json_array_get(self->sets, json_array_size(self->sets) - 1);
    return active ? active : self->current ? self->current : newest;
}

static bool is_saturated(const rollout_t *self)
{
    const char *desired =
        object_annotation(self->current, "deployment.kubernetes.io/desired-replicas");
    int64_t wanted = rollout_wanted(self);
    return self->current && set_wanted(self->current) == wanted && desired
           && strtoll(desired, NULL, 10) == wanted
           && object_integer(self->current, "status.availableReplicas", 0) == wanted;
}

/* How many replicas a set gains or loses for its size to keep its share. */
static int64_t fair_change(const rollout_t *self, const json_t *set)
{
    if (rollout_wanted(self) == 0)
        return -set_wanted(set);
    const char *text = object_annotation(set, "deployment.kubernetes.io/max-replicas");
    int64_t before =
        text ? strtoll(text, NULL, 10) : object_integer(self->deployment, "status.replicas", 1);
    int64_t after = rollout_wanted(self) + rollout_max_surge(self);
    double share = (double)set_wanted(set) * (double)after / (double)most(before, 1);
    return (int64_t)round(share) - set_wanted(set);
}

static int compare_size(const void *left, const void *right)
{
    int64_t a = set_wanted(*(json_t *const *)left);
    int64_t b = set_wanted(*(json_t *const *)right);
    return a > b ? -1 : a < b;
}

static void share_out(rollout_t *self, int64_t change)
{
    size_t count = json_array_size(self->sets);
    AUTO_FREE json_t **sets = xcalloc(count + 1, sizeof(*sets));
    AUTO_FREE int64_t *changes = xcalloc(count + 1, sizeof(*changes));
    for (size_t i = 0; i < count; i++)
        sets[i] = json_array_get(self->sets, i);
    qsort(sets, count, sizeof(*sets), compare_size);
    int64_t left = change;
    for (size_t i = 0; i < count; i++) {
        int64_t fair = set_wanted(sets[i]) == 0 ? 0 : fair_change(self, sets[i]);
        changes[i] = change > 0 ? most(0, least(fair, left)) : least(0, most(fair, left));
        left -= changes[i];
    }
    changes[0] += left; /* what rounding left over goes to the largest */
    for (size_t i = 0; i < count; i++) {
        if (set_wanted(sets[i]) > 0)
            (void)rollout_scale_set(self, sets[i], most(0, set_wanted(sets[i]) + changes[i]));
    }
}

void rollout_resize(rollout_t *self)
{
    rollout_ensure_current(self, false);
    json_t *only = only_active(self);
    int64_t wanted = rollout_wanted(self);
    if (only) {
        (void)rollout_scale_set(self, only, wanted);
    } else if (is_saturated(self)) {
        (void)drop_spare(self, rollout_sum(self, "spec.replicas", false));
    } else if (rollout_is_rolling(self) && json_array_size(self->sets)) {
        int64_t allowed = wanted > 0 ? wanted + rollout_max_surge(self) : 0;
        share_out(self, allowed - rollout_sum(self, "spec.replicas", true));
    }
    rollout_reload(self);
}
