/* broker_messages - what programs and the broker say to each other; see
 * docs/decisions/0200-bus-wire.md for when. */
#ifndef PROTO_BROKER_MESSAGES_H
#define PROTO_BROKER_MESSAGES_H

#include "proto/codec.h"

typedef struct broker_hello {
    const char *name;
    const char *instance;
    codec_list_t services;
} broker_hello_t;

typedef struct broker_welcome {
    const char *broker;
    const char *publish;
    const char *events;
    int64_t ping_ms;
    int64_t silence_ms;
    int64_t request_limit;
    int64_t event_limit;
} broker_welcome_t;

typedef struct broker_ping {
    char unused;
} broker_ping_t;

typedef struct broker_bye {
    char unused;
} broker_bye_t;

typedef struct broker_last {
    const char *prefix;
} broker_last_t;

typedef struct broker_values {
    codec_bin_t events;
} broker_values_t;

typedef struct broker_grant {
    const char *principal;
    codec_list_t topics;
    codec_list_t targets;
} broker_grant_t;

typedef struct broker_status {
    char unused;
} broker_status_t;

typedef struct broker_report {
    json_t *report;
} broker_report_t;

extern const codec_type_t broker_hello_type;
extern const codec_type_t broker_welcome_type;
extern const codec_type_t broker_ping_type;
extern const codec_type_t broker_bye_type;
extern const codec_type_t broker_last_type;
extern const codec_type_t broker_values_type;
extern const codec_type_t broker_grant_type;
extern const codec_type_t broker_status_type;
extern const codec_type_t broker_report_type;

#endif
