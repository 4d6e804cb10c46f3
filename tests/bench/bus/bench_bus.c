/* bench_bus [ROUNDS [SECONDS [fanout|request]]] - our broker beside bare libzmq brokers and
 * mosquitto.
 *
 * Every round measures every peer once in turn, so that what else the machine does falls on all of
 * them; the table gives medians over the rounds, and ratios of medians. The figure that holds on a
 * busy machine is the broker process's processor time for each message. AIOPSLAB_BIN says where our
 * broker is. Not measured: malamute, which is not in Debian. */
#include "tests/bench/bus/raw.h"

#include "base/auto.h"
#include "base/mem.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OURS, PROXY, RELAY, MOSQUITTO, PEER_COUNT };
enum { ROUND_LIMIT = 64, ROUNDS = 7 };

static raw_peer_t s_peers[PEER_COUNT] = {
    [OURS] = {.name = "aiopslab-broker", .protocol = RAW_ZMTP, .is_ours = true},
    [PROXY] = {.name = "zmq_proxy", .protocol = RAW_ZMTP},
    [RELAY] = {.name = "ROUTER/ROUTER relay", .protocol = RAW_ZMTP},
    [MOSQUITTO] = {.name = "mosquitto", .protocol = RAW_MQTT},
};

/* ---- peers ---------------------------------------------------------------------------------- */

static char s_folder[] = "/tmp/bench-bus-XXXXXX";

static pid_t spawn(const char *program, const char *first, const char *second, const char *third)
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        execlp(program, program, first, second, third, NULL);
        _exit(127);
    }
    return pid;
}

static void start_bare(size_t at, const char *mode, const char *program)
{
    raw_peer_t *peer = &s_peers[at];
    snprintf(peer->front, sizeof(peer->front), "%s/%s-front", s_folder, mode);
    snprintf(peer->back, sizeof(peer->back), "%s/%s-back", s_folder, mode);
    AUTO_FREE char *front = xasprintf("ipc://%s", peer->front);
    AUTO_FREE char *back = xasprintf("ipc://%s", peer->back);
    peer->pid = spawn(program, mode, front, back);
}

static void start_mosquitto(void)
{
    raw_peer_t *peer = &s_peers[MOSQUITTO];
    snprintf(peer->front, sizeof(peer->front), "%s/mosquitto", s_folder);
    snprintf(peer->back, sizeof(peer->back), "%s", peer->front);
    AUTO_FREE char *config = xasprintf("%s/mosquitto.conf", s_folder);
    FILE *file = fopen(config, "w");
    fprintf(file,
        "listener 0 %s\nallow_anonymous true\nmax_queued_messages 0\n"
        "max_inflight_messages 0\nset_tcp_nodelay true\npersistence false\nuser root\n",
        peer->front);
    fclose(file);
    peer->pid = spawn("mosquitto", "-c", config, NULL);
}

/* With TCP too, so that the check of who is calling is on. */
static void start_ours(void)
{
    AUTO_FREE char *program = xasprintf("%s/aiopslab-broker", getenv("AIOPSLAB_BIN"));
    setenv("AIOPSLAB_RUN", s_folder, 1);
    setenv("AIOPSLAB_STATE", s_folder, 1);
    s_peers[OURS].pid = spawn(program, "--listen", "tcp://127.0.0.1:0", NULL);
}

static void use_sockets(const char *front, const char *back)
{
    raw_peer_t *peer = &s_peers[OURS];
    snprintf(peer->front, sizeof(peer->front), "%s/%s", s_folder, front);
    snprintf(peer->back, sizeof(peer->back), "%s/%s", s_folder, back);
}

static void stop_all(void)
{
    for (size_t i = 0; i < PEER_COUNT; i++) {
        kill(s_peers[i].pid, SIGTERM);
        kill(s_peers[i].pid, SIGCONT);
        waitpid(s_peers[i].pid, NULL, 0);
    }
    AUTO_FREE char *command = xasprintf("rm -rf '%s'", s_folder);
    if (system(command) != 0)
        perror(s_folder);
}

/* ---- tables --------------------------------------------------------------------------------- */

typedef struct column {
    const char *label;
    raw_result_t results[ROUND_LIMIT];
} column_t;

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double median(const column_t *column, int rounds, size_t offset)
{
    double values[ROUND_LIMIT];
    for (int i = 0; i < rounds; i++)
        memcpy(&values[i], (const char *)&column->results[i] + offset, sizeof(double));
    qsort(values, (size_t)rounds, sizeof(double), compare);
    return rounds % 2 ? values[rounds / 2] : (values[rounds / 2 - 1] + values[rounds / 2]) / 2;
}

static void print_row(const char *what, const column_t *column, const column_t *base, int rounds)
{
    size_t cpu = offsetof(raw_result_t, cpu_us);
    size_t p50 = offsetof(raw_result_t, p50_us);
    double base_p50 = median(base, rounds, p50);
    printf("| %s | %s | %.0f | %.3f | %.2f | %.1f | %.2f | %.1f |\n", what, column->label,
        median(column, rounds, offsetof(raw_result_t, rate)), median(column, rounds, cpu),
        median(column, rounds, cpu) / median(base, rounds, cpu), median(column, rounds, p50),
        base_p50 > 0 ? median(column, rounds, p50) / base_p50 : 0,
        median(column, rounds, offsetof(raw_result_t, p99_us)));
    fflush(stdout);
}

static void bench_fanout(size_t subscribers, size_t payload, int rounds, double seconds)
{
    column_t ours = {.label = "aiopslab-broker"};
    column_t same = {.label = "zmq_proxy, the same frames"};
    column_t bare = {.label = "zmq_proxy, the payload alone"};
    column_t mqtt = {.label = "mosquitto"};
    use_sockets("publish", "events");
    for (int i = 0; i < rounds; i++) {
        ours.results[i] = fanout_run(&s_peers[OURS], subscribers, payload, false, seconds);
        same.results[i] = fanout_run(&s_peers[PROXY], subscribers, payload, false, seconds);
        bare.results[i] = fanout_run(&s_peers[PROXY], subscribers, payload, true, seconds);
        mqtt.results[i] = fanout_run(&s_peers[MOSQUITTO], subscribers, payload, true, seconds);
    }
    AUTO_FREE char *what = xasprintf("fan-out %zu B x %zu", payload, subscribers);
    print_row(what, &same, &same, rounds);
    print_row(what, &ours, &same, rounds);
    print_row(what, &bare, &same, rounds);
    print_row(what, &mqtt, &same, rounds);
}

static void bench_request(size_t outstanding, size_t payload, int rounds, double seconds)
{
    column_t ours = {.label = "aiopslab-broker"};
    column_t bare = {.label = "ROUTER/ROUTER relay"};
    column_t mqtt = {.label = "mosquitto"};
    use_sockets("requests", "requests");
    for (int i = 0; i < rounds; i++) {
        ours.results[i] = request_run(&s_peers[OURS], outstanding, payload, seconds);
        bare.results[i] = request_run(&s_peers[RELAY], outstanding, payload, seconds);
        mqtt.results[i] = request_run(&s_peers[MOSQUITTO], outstanding, payload, seconds);
    }
    AUTO_FREE char *what = xasprintf("request %zu B, %zu under way", payload, outstanding);
    print_row(what, &bare, &bare, rounds);
    print_row(what, &ours, &bare, rounds);
    print_row(what, &mqtt, &bare, rounds);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS;
    double seconds = argc > 2 ? atof(argv[2]) : 1;
    if (rounds < 1 || rounds > ROUND_LIMIT || seconds <= 0 || !getenv("AIOPSLAB_BIN")) {
        fprintf(
            stderr, "usage: AIOPSLAB_BIN=FOLDER bench_bus [ROUNDS [SECONDS [fanout|request]]]\n");
        return EXIT_FAILURE;
    }
    char own[PATH_MAX] = "";
    if (!mkdtemp(s_folder) || readlink("/proc/self/exe", own, sizeof(own) - 1) < 0)
        return EXIT_FAILURE;
    AUTO_FREE char *bare = xasprintf("%s/bench_bus_peer", dirname(own));
    start_ours();
    start_bare(PROXY, "proxy", bare);
    start_bare(RELAY, "relay", bare);
    start_mosquitto();
    printf("| what | broker | per second | broker CPU us | x base | p50 us | x base | p99 us |\n");
    printf("| --- | --- | --: | --: | --: | --: | --: | --: |\n");
    bool is_all = argc <= 3;
    if (is_all || strcmp(argv[3], "fanout") == 0) {
        bench_fanout(16, 64, rounds, seconds);
        bench_fanout(4, 256, rounds, seconds);
        bench_fanout(1, 256, rounds, seconds);
    }
    if (is_all || strcmp(argv[3], "request") == 0) {
        bench_request(256, 256, rounds, seconds);
        bench_request(16, 256, rounds, seconds);
        bench_request(1, 256, rounds, seconds);
    }
    stop_all();
    return EXIT_SUCCESS;
}
