#include "proto/messages.h"

#include "base/auto.h"

#include <string.h>

const codec_type_t ok_type = {
    .name = "ok",
    .doc = "It was done, and there is nothing more to say",
    .size = sizeof(ok_t),
};

static const codec_field_t error_fields[] = {
    CODEC_FIELD(error_reply_t, CODEC_STR, code, "For programs: invalid, not-found, timeout, ..."),
    CODEC_FIELD(error_reply_t, CODEC_STR, text, "A sentence for people"),
    CODEC_OPTIONAL(error_reply_t, CODEC_I64, retry_after_ms, "With overloaded: when to try again"),
};

const codec_type_t error_type = {
    .name = "error",
    .doc = "It was not done, and why",
    .size = sizeof(error_reply_t),
    .fields = error_fields,
    .field_count = ARRAY_SIZE(error_fields),
};

/* By name, for the search. */
static const codec_type_t *const types[] = {
    &broker_bye_type,
    &broker_grant_type,
    &broker_hello_type,
    &broker_last_type,
    &broker_ping_type,
    &broker_report_type,
    &broker_status_type,
    &broker_values_type,
    &broker_welcome_type,
    &error_type,
    &ok_type,
};

const codec_type_t *const *codec_types(size_t *count_p)
{
    *count_p = ARRAY_SIZE(types);
    return types;
}

const codec_type_t *codec_find(const char *name, size_t size)
{
    size_t low = 0;
    size_t high = ARRAY_SIZE(types);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strncmp(types[middle]->name, name, size);
        if (order == 0 && types[middle]->name[size])
            order = 1; /* the name asked for is only its beginning */
        if (order == 0)
            return types[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
