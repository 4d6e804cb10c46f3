/* grpc_health - the bytes of one question of grpc.health.v1.Health/Check and of its answer.
 *
 * As much of HTTP/2 as that takes. Source: RFC 9113 (frames), RFC 7541 (headers), gRPC over HTTP2,
 * grpc.health.v1. Headers are not read: an answer without a message is a failure of some kind. */
#ifndef CLUSTER_ENV_KUBELET_GRPC_HEALTH_H
#define CLUSTER_ENV_KUBELET_GRPC_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GRPC_HEADER_SIZE = 9, GRPC_FRAME_LIMIT = 16384, GRPC_MESSAGE_LIMIT = 256 };

/* An answer while it comes in; zeroed before. */
typedef struct grpc_answer {
    uint8_t bytes[GRPC_HEADER_SIZE + GRPC_FRAME_LIMIT]; /* of the frame that is coming */
    size_t size;
    uint8_t message[GRPC_MESSAGE_LIMIT];
    size_t message_size;
    bool is_over; /* nothing that follows matters */
} grpc_answer_t;

/* The question, for free(). authority is "address:port". */
uint8_t *grpc_health_question(const char *authority, const char *service, size_t *size_p);

/* Takes the next bytes. What must be sent back at once goes to reply, which holds size + 32 bytes.
 * Returns its size. */
size_t grpc_answer_feed(grpc_answer_t *self, const uint8_t *bytes, size_t size, uint8_t *reply);

/* The status that was answered, such as "SERVING"; NULL: none. */
const char *grpc_answer_status(const grpc_answer_t *self);

#endif
