#include "tests/integration/hotel-reservation/stack.h"

#include "base/auto.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    CHILD_LIMIT = 32,
    START_LIMIT_MS = 60000,
    INTAKE_PORT = 4318, /* of jaeger, for spans */
    FIRST_PORT = 5000,  /* below those the kernel gives to clients */
};

typedef struct child {
    char name[32];
    char address[32];
    int port;
    pid_t pid; /* 0: ended */
} child_t;

struct app_stack {
    char folder[64];
    char *bundles;
    child_t children[CHILD_LIMIT];
    size_t count;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- ports ---------------------------------------------------------------------------------- */

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static bool is_listening(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = loopback(port);
    bool is_connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return is_connected;
}

static void wait_listening(const child_t *child)
{
    int64_t deadline = now_ms() + START_LIMIT_MS;
    while (!is_listening(child->port)) {
        if (now_ms() > deadline) {
            fprintf(stderr, "%s does not listen on %s\n", child->name, child->address);
            abort();
        }
        poll(NULL, 0, 2);
    }
}

/* ---- children ------------------------------------------------------------------------------- */

static child_t *find(const app_stack_t *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++) {
        if (strcmp(self->children[i].name, name) == 0)
            return (child_t *)&self->children[i];
    }
    return NULL;
}

static child_t *add_child(app_stack_t *self, const char *name)
{
    assert(self->count < CHILD_LIMIT);
    int port = FIRST_PORT + (int)self->count;
    child_t *child = &self->children[self->count++];
    snprintf(child->name, sizeof(child->name), "%s", name);
    child->port = port;
    snprintf(child->address, sizeof(child->address), "127.0.0.1:%d", child->port);
    return child;
}

/* MONGODB_GEO_ADDRESS=127.0.0.1:1234 and so on, for all that are known. */
static void set_addresses(const app_stack_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        char variable[64];
        snprintf(variable, sizeof(variable), "%s_ADDRESS", self->children[i].name);
        for (char *c = variable; *c; c++)
            *c = (char)(*c == '-' ? '_' : toupper((unsigned char)*c));
        setenv(variable, self->children[i].address, 1);
    }
    char endpoint[64];
    snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d", INTAKE_PORT);
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, 1);
}

static void run_child(
    const app_stack_t *self, const child_t *child, const char *setting, const char *const *words)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char text[128];
    snprintf(text, sizeof(text), "%s/%s.log", self->folder, child->name);
    int log = open(text, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    set_addresses(self);
    snprintf(text, sizeof(text), "%d", child->port);
    setenv("LISTEN_PORT", text, 1);
    snprintf(text, sizeof(text), "%d", INTAKE_PORT);
    setenv("COLLECTOR_OTLP_HTTP_PORT", text, 1);
    if (setting)
        putenv((char *)setting);
    execvp(words[0], (char *const *)words);
    _exit(127);
}

static void start_child(
    app_stack_t *self, child_t *child, const char *setting, const char *const *words)
{
    child->pid = fork();
    if (child->pid == 0)
        run_child(self, child, setting, words);
}

void stack_start(app_stack_t *self, const char *name, const char *bundle, const char *program,
    const char *setting)
{
    child_t *child = find(self, name);
    if (!child)
        child = add_child(self, name);
    AUTO_FREE char *path = xasprintf("%s/%s/bin/%s", self->bundles, bundle, program);
    const char *words[] = {path, NULL};
    start_child(self, child, setting, words);
}

static void start_redis(app_stack_t *self, const char *database)
{
    char name[32];
    char keys[32];
    char port[16];
    snprintf(name, sizeof(name), "mongodb-%s", database);
    snprintf(keys, sizeof(keys), "~%s-db.*", database);
    child_t *child = add_child(self, name);
    snprintf(port, sizeof(port), "%d", child->port);
    const char *words[] = {"redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
        "--dir", self->folder, "--user", "default", "off", "--user", "admin", "on", ">admin", keys,
        "+@all", "-@dangerous", "--user", "root", "on", ">root", "~*", "&*", "+@all", NULL};
    start_child(self, child, NULL, words);
}

static void start_memcached(app_stack_t *self, const char *name)
{
    char port[16];
    child_t *child = add_child(self, name);
    snprintf(port, sizeof(port), "%d", child->port);
    const char *words[] = {
        "memcached", "-l", "127.0.0.1", "-p", port, "-t", "2", "-u", "root", NULL};
    start_child(self, child, NULL, words);
}

/* ---- life cycle ----------------------------------------------------------------------------- */

static const char *const databases[] = {
    "geo", "profile", "rate", "recommendation", "reservation", "user"};
static const char *const caches[] = {"memcached-profile", "memcached-rate", "memcached-reserve"};
static const char *const services[] = {
    "frontend", "geo", "profile", "rate", "recommendation", "reservation", "search", "user"};

app_stack_t *stack_new(void)
{
    app_stack_t *self = xcalloc(1, sizeof(*self));
    snprintf(self->folder, sizeof(self->folder), "/tmp/aiopslab-hotel-XXXXXX");
    assert(mkdtemp(self->folder));
    self->bundles = xasprintf("%s/../bundles", getenv("AIOPSLAB_BIN"));
    for (size_t i = 0; i < ARRAY_SIZE(databases); i++)
        start_redis(self, databases[i]);
    for (size_t i = 0; i < ARRAY_SIZE(caches); i++)
        start_memcached(self, caches[i]);
    for (size_t i = 0; i < ARRAY_SIZE(services); i++)
        add_child(self, services[i]);
    stack_start(self, "jaeger", "jaeger", "jaeger", NULL);
    for (size_t i = 0; i < ARRAY_SIZE(services); i++)
        stack_start(self, services[i], "hotel-reservation", services[i], "DB_WAIT_MS=15000");
    for (size_t i = 0; i < self->count; i++)
        wait_listening(&self->children[i]);
    return self;
}

int stack_wait(app_stack_t *self, const char *name)
{
    child_t *child = find(self, name);
    int status = 0;
    waitpid(child->pid, &status, 0);
    child->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int stack_end(app_stack_t *self, const char *name, int signal)
{
    kill(find(self, name)->pid, signal);
    return stack_wait(self, name);
}

static void remove_file(const app_stack_t *self, const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/%s.log", self->folder, name);
    unlink(path);
}

void stack_destroy(app_stack_t **self_p)
{
    app_stack_t *self = *self_p;
    for (size_t i = 0; i < self->count; i++) {
        child_t *child = &self->children[i];
        if (child->pid)
            kill(child->pid, SIGKILL);
        if (child->pid)
            waitpid(child->pid, NULL, 0);
        remove_file(self, child->name);
    }
    rmdir(self->folder);
    free(self->bundles);
    free(self);
    *self_p = NULL;
}

const char *stack_address(const app_stack_t *self, const char *name)
{
    return find(self, name)->address;
}

char *stack_log(const app_stack_t *self, const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/%s.log", self->folder, name);
    char *text = xcalloc(1, 1 << 16);
    FILE *file = fopen(path, "re");
    if (!file)
        return text;
    size_t size = fread(text, 1, (1 << 16) - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

/* ---- HTTP ----------------------------------------------------------------------------------- */

static size_t on_data(char *data, size_t one, size_t size, void *out)
{
    return fwrite(data, one, size, out);
}

int stack_http(const app_stack_t *self, const char *name, const char *method, const char *path,
    const char *header, char **body_p)
{
    AUTO_FREE char *url = xasprintf("http://%s%s", stack_address(self, name), path);
    size_t size = 0;
    char *body = NULL;
    FILE *out = mem_check(open_memstream(&body, &size));
    struct curl_slist *headers = header ? curl_slist_append(NULL, header) : NULL;
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method ? method : "GET");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 10000L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    long status = 0;
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    fclose(out);
    *body_p = body;
    return (int)status;
}

json_t *stack_json(const app_stack_t *self, const char *name, const char *path, int *status_p)
{
    AUTO_FREE char *body = NULL;
    int status = stack_http(self, name, NULL, path, NULL, &body);
    if (status_p)
        *status_p = status;
    return json_loads(body, 0, NULL);
}

double stack_metric(const app_stack_t *self, const char *name, const char *sample)
{
    AUTO_FREE char *body = NULL;
    stack_http(self, name, NULL, "/metrics", NULL, &body);
    const char *line = strstr(body, sample);
    return line ? strtod(line + strlen(sample), NULL) : 0;
}
