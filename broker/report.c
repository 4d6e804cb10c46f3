/* The broker's own figures: as Prometheus text, and as the answer to broker.status. */
#include "broker/internal.h"

#include "base/auto.h"

#include <jansson.h>

static double peers(void *arg)
{
    return (double)((broker_t *)arg)->registry.peer_count;
}

static double services(void *arg)
{
    return (double)((broker_t *)arg)->registry.service_count;
}

static double under_way(void *arg)
{
    return (double)flights_live(((broker_t *)arg)->flights);
}

static double cached(void *arg)
{
    return (double)flights_cached(((broker_t *)arg)->flights);
}

static double topics(void *arg)
{
    return (double)topics_count(((broker_t *)arg)->topics);
}

void report_register(broker_t *self)
{
    const struct {
        const char *name;
        const char *labels;
        const char *help;
        const uint64_t *value;
    } counters[] = {
#define COUNTER(name, labels, help, member)                                                        \
    {"aiopslab_broker_" name, labels, help, &self->counts.member}
        COUNTER("requests_total", NULL, "Requests received", requests),
        COUNTER("replies_total", NULL, "Replies passed on", replies),
        COUNTER("errors_total", NULL, "Errors that the broker itself answered", errors),
        COUNTER("timeouts_total", NULL, "Requests whose deadline passed", timeouts),
        COUNTER("unavailable_total", NULL, "Requests with nobody to answer them", unavailable),
        COUNTER("overloaded_total", NULL, "Requests refused for want of room", overloaded),
        COUNTER("forbidden_total", NULL, "Requests refused by role or grant", forbidden),
        COUNTER("malformed_total", NULL, "Messages that are not the protocol", malformed),
        COUNTER("oversized_total", NULL, "Messages above the size limit", oversized),
        COUNTER("retried_total", NULL, "Requests moved from a dead worker", retried),
        COUNTER("late_replies_total", NULL, "Answers nobody waited for any more", late_replies),
        COUNTER("duplicates_total", "answer=\"joined\"", "Requests sent again by their caller",
            duplicates_joined),
        COUNTER("duplicates_total", "answer=\"cached\"", "Requests sent again by their caller",
            duplicates_cached),
        COUNTER("undeliverable_total", NULL, "Replies whose caller was gone", undeliverable),
        COUNTER("peers_lost_total", NULL, "Programs that went without a bye", peers_lost),
        COUNTER("events_total", NULL, "Events passed on", events),
        COUNTER("event_bytes_total", NULL, "Bytes of events passed on", event_bytes),
        COUNTER("events_invalid_total", NULL, "Events refused", events_invalid),
        COUNTER("subscriptions_total", NULL, "Subscriptions accepted", subscriptions),
        COUNTER(
            "subscriptions_refused_total", NULL, "Subscriptions refused", subscriptions_refused),
        COUNTER("subscribers_ended_total", NULL,
            "Connections of agents ended since they heard what they may not", subscribers_ended),
#undef COUNTER
    };
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
        metrics_counter_at(self->metrics, counters[i].name, counters[i].help, counters[i].labels,
            counters[i].value);
    if (self->zap)
        metrics_counter_at(self->metrics, "aiopslab_broker_keys_refused_total",
            "Handshakes with a key that is not authorized", NULL, zap_refused(self->zap));
    metrics_gauge_from(
        self->metrics, "aiopslab_broker_peers", "Connections to requests", peers, self);
    metrics_gauge_from(
        self->metrics, "aiopslab_broker_services", "Services offered or asked for", services, self);
    metrics_gauge_from(self->metrics, "aiopslab_broker_requests_under_way",
        "Requests accepted and not answered", under_way, self);
    metrics_gauge_from(self->metrics, "aiopslab_broker_replies_cached",
        "Replies kept for duplicates", cached, self);
    metrics_gauge_from(
        self->metrics, "aiopslab_broker_topics", "Topics with a sequence", topics, self);
}

/* ---- broker.status -------------------------------------------------------------------------- */

static json_t *report_peers(broker_t *self)
{
    json_t *list = json_array();
    peer_t *peer;
    TAILQ_FOREACH(peer, &self->registry.peers, in_peers)
    {
        if (!peer->is_known)
            continue;
        json_t *offered = json_array();
        for (size_t i = 0; i < peer->service_count; i++)
            json_array_append_new(offered, json_string(peer->services[i]->name));
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:I}", "name", peer->name,
                      "instance", peer->instance, "role", bus_role_name(peer->principal->role),
                      "principal", peer->principal->name, "services", offered, "work",
                      (json_int_t)peer->work_count, "asked", (json_int_t)peer->asked_count,
                      "silent_ms", (json_int_t)(ev_now(self->ev) - peer->heard_at)));
    }
    return list;
}

static json_t *report_services(broker_t *self)
{
    json_t *list = json_array();
    service_t *service;
    TAILQ_FOREACH(service, &self->registry.services, in_services)
    {
        json_array_append_new(list,
            json_pack("{s:s, s:I, s:I, s:I, s:I, s:f}", "name", service->name, "instances",
                (json_int_t)service->worker_count, "under_way", (json_int_t)service->live_count,
                "bytes", (json_int_t)service->live_bytes, "answered",
                (json_int_t)service->answered_count, "mean_ms", service->mean_ms));
    }
    return list;
}

json_t *report_status(broker_t *self)
{
    AUTO_FREE char *text = metrics_text(self->metrics);
    return json_pack("{s:s, s:o, s:o, s:s}", "broker", self->run, "peers", report_peers(self),
        "services", report_services(self), "metrics", text);
}
