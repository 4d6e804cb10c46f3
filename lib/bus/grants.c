/* What agents' keys may do by our grace. The broker forgets it when it ends; we do not. */
#include "bus/bus_internal.h"

#include "base/mem.h"

static bool is_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void on_told(void *arg, const bus_reply_t *reply)
{
    (void)arg, (void)reply; /* not told now: the next welcome tells it again */
}

void grants_tell(bus_t *self, const char *principal)
{
    grant_entry_t *entry;
    size_t count = 0;
    TAILQ_FOREACH(entry, &self->grants, in_grants)
    count++;
    char **topics = xcalloc(count + 1, sizeof(*topics));
    char **targets = xcalloc(count + 1, sizeof(*targets));
    size_t topic_count = 0;
    size_t target_count = 0;
    TAILQ_FOREACH(entry, &self->grants, in_grants)
    {
        if (strcmp(entry->principal, principal) != 0)
            continue;
        if (entry->topic)
            topics[topic_count++] = entry->topic;
        if (entry->target)
            targets[target_count++] = entry->target;
    }
    broker_grant_t grant = {.principal = principal,
        .topics = {.items = topics, .count = topic_count},
        .targets = {.items = targets, .count = target_count}};
    if (self->is_welcome)
        ask_broker(self, &broker_grant_type, &grant, BUS_TIMEOUT_MS, on_told, self);
    free(topics);
    free(targets);
}

/* Once for each key, at its first entry. */
void grants_tell_all(bus_t *self)
{
    grant_entry_t *entry;
    TAILQ_FOREACH(entry, &self->grants, in_grants)
    {
        grant_entry_t *first = TAILQ_FIRST(&self->grants);
        while (strcmp(first->principal, entry->principal) != 0)
            first = TAILQ_NEXT(first, in_grants);
        if (first == entry)
            grants_tell(self, entry->principal);
    }
}

static void add(bus_t *self, const char *principal, const char *topic, const char *target)
{
    grant_entry_t *entry = xcalloc(1, sizeof(*entry));
    entry->principal = xstrdup(principal);
    entry->topic = topic ? xstrdup(topic) : NULL;
    entry->target = target ? xstrdup(target) : NULL;
    TAILQ_INSERT_TAIL(&self->grants, entry, in_grants);
}

static void entry_remove(bus_t *self, grant_entry_t *entry)
{
    TAILQ_REMOVE(&self->grants, entry, in_grants);
    free(entry->principal);
    free(entry->topic);
    free(entry->target);
    free(entry);
}

void bus_grant(bus_t *self, const char *principal, const char *topic_prefix, const char *target)
{
    add(self, principal, topic_prefix, target);
    grants_tell(self, principal);
}

void bus_revoke(bus_t *self, const char *principal, const char *topic_prefix, const char *target)
{
    grant_entry_t *entry;
    TAILQ_FOREACH(entry, &self->grants, in_grants)
    {
        if (strcmp(entry->principal, principal) == 0 && is_equal(entry->topic, topic_prefix)
            && is_equal(entry->target, target)) {
            entry_remove(self, entry);
            break;
        }
    }
    grants_tell(self, principal);
}

void grants_forget_all(bus_t *self)
{
    while (!TAILQ_EMPTY(&self->grants))
        entry_remove(self, TAILQ_FIRST(&self->grants));
}
