#include "tests/bench/bus/raw.h"

#include "base/auto.h"
#include "base/mem.h"
#include "proto/envelope.h"
#include "proto/messages.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

/* ---- measuring ------------------------------------------------------------------------------ */

uint64_t raw_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t raw_cpu(pid_t pid)
{
    uint64_t total = 0;
    AUTO_FREE char *tasks = xasprintf("/proc/%d/task", pid);
    DIR *folder = opendir(tasks);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        AUTO_FREE char *path = xasprintf("%s/%s/schedstat", tasks, entry->d_name);
        unsigned long long ns = 0;
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (file && fscanf(file, "%llu", &ns) == 1)
            total += ns;
        if (file)
            fclose(file);
    }
    if (folder)
        closedir(folder);
    return total;
}

static size_t bucket_of(uint64_t ns)
{
    if (ns < 16)
        return ns;
    size_t power = 63 - (size_t)__builtin_clzll(ns);
    return (power - 3) * 16 + ((ns >> (power - 4)) & 15);
}

void raw_times_add(raw_times_t *self, uint64_t ns)
{
    self->counts[bucket_of(ns)]++;
    self->total++;
}

double raw_times_percentile(const raw_times_t *self, double percent)
{
    uint64_t wanted = (uint64_t)((double)self->total * percent / 100);
    uint64_t seen = 0;
    for (size_t i = 0; i < ARRAY_SIZE(self->counts); i++) {
        seen += self->counts[i];
        if (seen > wanted)
            return i < 16 ? (double)i : (double)((16 + i % 16) << (i / 16 - 1));
    }
    return 0;
}

/* ---- sockets -------------------------------------------------------------------------------- */

void raw_write(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size) {
        ssize_t rc = send(fd, at, size, MSG_NOSIGNAL);
        if (rc < 0)
            die("send");
        at += rc;
        size -= (size_t)rc;
    }
}

void raw_read(int fd, void *bytes, size_t size)
{
    char *at = bytes;
    while (size) {
        ssize_t rc = recv(fd, at, size, 0);
        if (rc <= 0)
            die("recv");
        at += rc;
        size -= (size_t)rc;
    }
}

static int dial(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    for (int i = 0; i < 5000; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        int size = 4 << 20;
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
            return fd;
        close(fd);
        poll(NULL, 0, 1); /* the peer has no other way to say that it is there */
    }
    die(path);
    return -1;
}

/* ZMTP 3.0 with mechanism NULL. */
static void shake_hands(int fd, const char *type)
{
    uint8_t greeting[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0, 'N', 'U', 'L', 'L'};
    uint8_t reply[512];
    uint8_t ready[64] = "\4\0\5READY\13Socket-Type\0\0\0";
    size_t size = 2 + 6 + 12 + 3;
    ready[size++] = (uint8_t)strlen(type);
    memcpy(ready + size, type, strlen(type));
    size += strlen(type);
    ready[1] = (uint8_t)(size - 2);
    raw_write(fd, greeting, sizeof(greeting));
    raw_read(fd, reply, sizeof(greeting));
    raw_write(fd, ready, size);
    raw_read(fd, reply, 2);
    raw_read(fd, reply + 2, reply[1]);
}

static void log_in(int fd)
{
    static int serial;
    uint8_t packet[64] = {0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0};
    int length = snprintf((char *)packet + 14, 32, "bench%d-%d", getpid(), serial++);
    packet[13] = (uint8_t)length;
    packet[1] = (uint8_t)(12 + length);
    raw_write(fd, packet, (size_t)(14 + length));
    raw_read(fd, packet, 4);
}

int raw_open(raw_protocol_t protocol, const char *path, const char *type)
{
    int fd = dial(path);
    if (protocol == RAW_ZMTP)
        shake_hands(fd, type);
    else
        log_in(fd);
    return fd;
}

void raw_subscribe(raw_protocol_t protocol, int fd, const char *topic)
{
    uint8_t packet[128];
    size_t length = strlen(topic);
    if (protocol == RAW_ZMTP) {
        uint8_t head[] = {0, (uint8_t)(1 + length), 1};
        memcpy(packet, head, sizeof(head));
        memcpy(packet + sizeof(head), topic, length);
        raw_write(fd, packet, sizeof(head) + length);
        return;
    }
    uint8_t head[] = {0x82, (uint8_t)(5 + length), 0, 1, 0, (uint8_t)length};
    memcpy(packet, head, sizeof(head));
    memcpy(packet + sizeof(head), topic, length);
    packet[sizeof(head) + length] = 0;
    raw_write(fd, packet, sizeof(head) + length + 1);
    raw_read(fd, packet, 5);
}

static size_t mqtt_head(uint8_t *head, const char *topic, size_t size)
{
    size_t length = strlen(topic);
    size_t rest = 2 + length + size;
    size_t used = 0;
    head[used++] = 0x30;
    do {
        head[used++] = (uint8_t)((rest & 127) | (rest > 127 ? 128 : 0));
        rest >>= 7;
    } while (rest);
    head[used++] = 0;
    head[used++] = (uint8_t)length;
    memcpy(head + used, topic, length);
    return used + length;
}

size_t raw_head(
    raw_protocol_t protocol, uint8_t *head, const char *topic, size_t size, bool has_more)
{
    if (protocol == RAW_MQTT)
        return mqtt_head(head, topic, size);
    head[0] = has_more ? 1 : 0;
    if (size < 256) {
        head[1] = (uint8_t)size;
        return 2;
    }
    head[0] |= 2;
    for (int i = 0; i < 8; i++)
        head[1 + i] = (uint8_t)((uint64_t)size >> (56 - 8 * i));
    return 9;
}

/* ---- messages ------------------------------------------------------------------------------- */

#define ID "0123456789abcdef"

/* A body {"text": ...} with so many bytes of text. */
static char *make_body(size_t payload, size_t *size_p)
{
    AUTO_FREE char *text = xcalloc(1, payload + 1);
    memset(text, 'x', payload);
    char *body = NULL;
    codec_encode(&text_type, &(text_t){.text = text}, &body, size_p, NULL);
    return body;
}

static uint8_t *encode(envelope_t envelope, size_t payload, size_t *size_p)
{
    size_t body_size;
    AUTO_FREE char *body = make_body(payload, &body_size);
    char *bytes = NULL;
    envelope.time = 1700000000000;
    envelope.type = text_type.name;
    envelope.body = body;
    envelope.body_size = body_size;
    envelope_encode(&envelope, &bytes, size_p);
    return (uint8_t *)bytes;
}

uint8_t *raw_event(const char *topic, size_t payload, size_t *size_p)
{
    size_t head = strlen(topic) + 9;
    size_t size;
    AUTO_FREE uint8_t *bytes =
        encode((envelope_t){.kind = ENVELOPE_EVENT, .id = "1", .source = "a"}, payload, &size);
    uint8_t *event = xcalloc(1, head + size);
    memcpy(event, topic, strlen(topic));
    memcpy(event + head, bytes, size);
    *size_p = head + size;
    return event;
}

uint8_t *raw_envelope(bool is_reply, size_t payload, size_t *size_p, size_t *id_at_p)
{
    envelope_t request = {
        .kind = ENVELOPE_REQUEST, .id = ID, .source = "bench@1", .deadline = 1700000030000};
    envelope_t reply = {.kind = ENVELOPE_REPLY, .id = "1", .corr = ID, .source = "bench@2"};
    uint8_t *bytes = encode(is_reply ? reply : request, payload, size_p);
    *id_at_p = (size_t)((uint8_t *)memmem(bytes, *size_p, ID, strlen(ID)) - bytes);
    return bytes;
}

uint8_t *raw_hello(size_t *size_p)
{
    char *services[] = {(char *)"echo"};
    broker_hello_t hello = {
        .name = "echo", .instance = "1", .services = {.items = services, .count = 1}};
    AUTO_FREE char *body = NULL;
    size_t body_size;
    codec_encode(&broker_hello_type, &hello, &body, &body_size, NULL);
    envelope_t envelope = {.kind = ENVELOPE_REQUEST,
        .id = "hello",
        .type = broker_hello_type.name,
        .source = "echo@1",
        .time = 1,
        .deadline = 10001,
        .body = body,
        .body_size = body_size};
    char *bytes = NULL;
    envelope_encode(&envelope, &bytes, size_p);
    return (uint8_t *)bytes;
}
