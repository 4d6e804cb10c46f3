#include "proto/broker_messages.h"

#include "base/auto.h"

enum { ANYBODY = CODEC_SERVICE | CODEC_OPERATOR | CODEC_AGENT };

static const codec_field_t hello_fields[] = {
    CODEC_FIELD(broker_hello_t, CODEC_STR, name, "What the program is, such as injector"),
    CODEC_FIELD(broker_hello_t, CODEC_STR, instance, "Which one; the same over reconnects"),
    CODEC_FIELD(broker_hello_t, CODEC_STR_LIST, services,
        "The services it offers from now on; role service only"),
};

const codec_type_t broker_hello_type = {
    .name = "broker.hello",
    .doc = "Registers a program and what it offers; again when that changes",
    .size = sizeof(broker_hello_t),
    .fields = hello_fields,
    .field_count = ARRAY_SIZE(hello_fields),
    .callers = ANYBODY,
    .is_idempotent = true,
    .replies = "broker.welcome",
};

static const codec_field_t welcome_fields[] = {
    CODEC_FIELD(broker_welcome_t, CODEC_STR, broker, "Names this run of the broker"),
    CODEC_FIELD(broker_welcome_t, CODEC_STR, publish,
        "Where to publish; empty for those who may not, and in an invitation"),
    CODEC_FIELD(broker_welcome_t, CODEC_STR, events, "Where to subscribe"),
    CODEC_FIELD(broker_welcome_t, CODEC_I64, ping_ms, "Ping so often"),
    CODEC_FIELD(broker_welcome_t, CODEC_I64, silence_ms, "Who is silent for so long is gone"),
    CODEC_FIELD(broker_welcome_t, CODEC_I64, request_limit, "Bytes of an envelope at most"),
    CODEC_FIELD(broker_welcome_t, CODEC_I64, event_limit, "Bytes of an event frame at most"),
};

const codec_type_t broker_welcome_type = {
    .name = "broker.welcome",
    .doc = "The answer to a hello; as an event, the invitation to say hello",
    .size = sizeof(broker_welcome_t),
    .fields = welcome_fields,
    .field_count = ARRAY_SIZE(welcome_fields),
};

const codec_type_t broker_ping_type = {
    .name = "broker.ping",
    .doc = "A sign of life, asking for one",
    .size = sizeof(broker_ping_t),
    .callers = ANYBODY,
    .is_idempotent = true,
    .replies = "ok",
};

const codec_type_t broker_bye_type = {
    .name = "broker.bye",
    .doc = "The program leaves; its unanswered work is failed or moved at once",
    .size = sizeof(broker_bye_t),
    .callers = ANYBODY,
    .is_idempotent = true,
    .replies = "ok",
};

static const codec_field_t last_fields[] = {
    CODEC_FIELD(broker_last_t, CODEC_STR, prefix, "Of the topics asked for"),
};

const codec_type_t broker_last_type = {
    .name = "broker.last",
    .doc = "Asks for the last value of each state topic with a prefix",
    .size = sizeof(broker_last_t),
    .fields = last_fields,
    .field_count = ARRAY_SIZE(last_fields),
    .callers = ANYBODY,
    .is_idempotent = true,
    .replies = "broker.values",
};

static const codec_field_t values_fields[] = {
    CODEC_FIELD(broker_values_t, CODEC_BIN, events,
        "Oldest first: 4 bytes length (big endian) and the event frame, each"),
};

const codec_type_t broker_values_type = {
    .name = "broker.values",
    .doc = "Last values of state topics",
    .size = sizeof(broker_values_t),
    .fields = values_fields,
    .field_count = ARRAY_SIZE(values_fields),
};

static const codec_field_t grant_fields[] = {
    CODEC_FIELD(broker_grant_t, CODEC_STR, principal, "The name of the agent's key"),
    CODEC_FIELD(broker_grant_t, CODEC_STR_LIST, topics, "Prefixes it may subscribe to"),
    CODEC_FIELD(broker_grant_t, CODEC_STR_LIST, targets, "Services it may call"),
};

const codec_type_t broker_grant_type = {
    .name = "broker.grant",
    .doc = "All that an agent's key may do by grace of the sender, from now on",
    .size = sizeof(broker_grant_t),
    .fields = grant_fields,
    .field_count = ARRAY_SIZE(grant_fields),
    .callers = CODEC_SERVICE,
    .is_idempotent = true,
    .replies = "ok",
};

const codec_type_t broker_status_type = {
    .name = "broker.status",
    .doc = "Asks how the broker is",
    .size = sizeof(broker_status_t),
    .callers = CODEC_SERVICE | CODEC_OPERATOR,
    .is_idempotent = true,
    .replies = "broker.report",
};

static const codec_field_t report_fields[] = {
    CODEC_FIELD(broker_report_t, CODEC_VALUE, report,
        "broker, peers, services, and metrics as Prometheus text"),
};

const codec_type_t broker_report_type = {
    .name = "broker.report",
    .doc = "Who is connected, what is under way, and the broker's metrics",
    .size = sizeof(broker_report_t),
    .fields = report_fields,
    .field_count = ARRAY_SIZE(report_fields),
};
