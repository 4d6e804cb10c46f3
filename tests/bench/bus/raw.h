/* raw - clients without a library, so that they cost next to nothing and the broker is what is
 * measured: each peer's protocol, with frames of one size, on file sockets. */
#ifndef BENCH_RAW_H
#define BENCH_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum { RAW_ZMTP, RAW_MQTT } raw_protocol_t;

/* Nanoseconds, monotonic. */
uint64_t raw_now(void);

/* Processor time of all threads of a process so far, in ns. */
uint64_t raw_cpu(pid_t pid);

/* Connects to a file socket and shakes hands, as a ZMTP socket of that type, or for MQTT with any
 * type. Waits for the file to be there. */
int raw_open(raw_protocol_t protocol, const char *path, const char *type);

void raw_write(int fd, const void *bytes, size_t size);
void raw_read(int fd, void *bytes, size_t size);

/* Subscribes to a topic, and to its prefix where the protocol knows prefixes. */
void raw_subscribe(raw_protocol_t protocol, int fd, const char *topic);

/* Writes the header of a frame (ZMTP: perhaps one of several; MQTT: a PUBLISH to topic) to head and
 * returns its size. */
size_t raw_head(
    raw_protocol_t protocol, uint8_t *head, const char *topic, size_t size, bool has_more);

/* An event frame of our bus for topic, with that many bytes in the body. New memory. */
uint8_t *raw_event(const char *topic, size_t payload, size_t *size_p);

/* A request envelope, or a reply to one; its id (corr) is 16 bytes at *id_at_p. New memory. */
uint8_t *raw_envelope(bool is_reply, size_t payload, size_t *size_p, size_t *id_at_p);

/* What a worker sends to our broker first. */
uint8_t *raw_hello(size_t *size_p);

/* Times in a histogram with buckets of 1/16. */
typedef struct raw_times {
    uint32_t counts[64 * 16];
    uint64_t total;
} raw_times_t;

void raw_times_add(raw_times_t *self, uint64_t ns);
double raw_times_percentile(const raw_times_t *self, double percent);

/* What one run yields. */
typedef struct raw_result {
    double rate;   /* deliveries, or requests, a second */
    double cpu_us; /* of the broker, for each */
    double p50_us;
    double p99_us;
} raw_result_t;

typedef struct raw_peer {
    const char *name;
    raw_protocol_t protocol;
    bool is_ours;
    pid_t pid;
    char front[96]; /* paths of file sockets */
    char back[96];
} raw_peer_t;

/* One publisher, so many subscribers. is_short: the payload alone, without our envelope. */
raw_result_t fanout_run(
    const raw_peer_t *peer, size_t subscribers, size_t payload, bool is_short, double seconds);

/* One client that keeps so many requests under way, one worker that echoes. */
raw_result_t request_run(
    const raw_peer_t *peer, size_t outstanding, size_t payload, double seconds);

#endif
