#include "services/cluster/runtime/cgroup.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/cgroup_v2.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CPU, CPUACCT, MEMORY, PIDS, CONTROLLERS };

static const char *const controllers[CONTROLLERS] = {"cpu", "cpuacct", "memory", "pids"};

/* ---- files ---------------------------------------------------------------------------------- */

static int write_file(const char *folder, const char *name, const char *text)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t size = (ssize_t)strlen(text);
    int rc = write(fd, text, (size_t)size) == size ? 0 : -1;
    close(fd);
    return rc;
}

static bool read_file(const char *folder, const char *name, char *text, size_t capacity)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, text, capacity - 1);
    close(fd);
    text[size > 0 ? size : 0] = '\0';
    return size >= 0;
}

static uint64_t read_number(const char *folder, const char *name)
{
    char text[64];
    return read_file(folder, name, text, sizeof(text)) ? strtoull(text, NULL, 10) : 0;
}

/* The number behind "key " at the beginning of a line. */
static uint64_t find_number(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtoull(line + length, NULL, 10);
    }
    return 0;
}

/* ---- finding the hierarchies ------------------------------------------------------------------
 */

/* Whether name is one of those between names and end, with commas between them. */
static bool is_among(const char *names, const char *end, const char *name)
{
    size_t length = strlen(name);
    for (; names <= end; names += strcspn(names, ",:") + 1) {
        if (strcspn(names, ",:") == length && strncmp(names, name, length) == 0)
            return true;
    }
    return false;
}

/* The line of /proc/self/cgroup for a controller: "4:memory:/path", version 2's is "0::/path". */
static bool find_own(const char *table, const char *controller, char *path, size_t capacity)
{
    for (const char *line = table; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        const char *names = strchr(line, ':');
        const char *own = names ? strchr(names + 1, ':') : NULL;
        if (!own)
            return false;
        if (is_among(names + 1, own, controller)) {
            snprintf(path, capacity, "%.*s", (int)strcspn(own + 1, "\n"), own + 1);
            return true;
        }
    }
    return false;
}

static char *make_folder(const char *mount, const char *own, const char *name)
{
    char *folder =
        xasprintf("/sys/fs/cgroup%s%s/%s", mount, strcmp(own, "/") == 0 ? "" : own, name);
    if (mkdir(folder, 0755) == 0 || errno == EEXIST)
        return folder;
    free(folder);
    return NULL;
}

static bool init_v1(cgroups_t *self, const char *table, const char *name)
{
    for (int i = 0; i < CONTROLLERS; i++) {
        char own[512];
        AUTO_FREE char *mount = xasprintf("/%s", controllers[i]);
        if (!find_own(table, controllers[i], own, sizeof(own)))
            return false;
        self->folders[i] = make_folder(mount, own, name);
        if (!self->folders[i])
            return false;
    }
    self->version = CGROUP_V1;
    return true;
}

static bool init_v2(cgroups_t *self, const char *table, const char *name)
{
    char own[512];
    char offered[256];
    if (access("/sys/fs/cgroup/cgroup.controllers", R_OK) < 0
        || !find_own(table, "", own, sizeof(own)))
        return false;
    cgroup_v2_strip(own);
    self->folders[CPU] = make_folder("", own, name);
    if (!self->folders[CPU]
        || !read_file(self->folders[CPU], "cgroup.controllers", offered, sizeof(offered))
        || !strstr(offered, "cpu") || !strstr(offered, "memory") || !strstr(offered, "pids")
        || write_file(self->folders[CPU], "cgroup.subtree_control", "+cpu +memory +pids") < 0)
        return false;
    self->version = CGROUP_V2;
    return true;
}

void cgroups_init(cgroups_t *self, const char *name)
{
    *self = (cgroups_t){.version = CGROUP_NONE};
    char table[4096];
    if (!read_file("/proc/self", "cgroup", table, sizeof(table)))
        return;
    if (!init_v2(self, table, name)) {
        cgroups_done(self);
        if (!init_v1(self, table, name))
            cgroups_done(self);
    }
}

void cgroups_done(cgroups_t *self)
{
    for (int i = 0; i < CONTROLLERS; i++) {
        if (self->folders[i])
            (void)rmdir(
                self->folders[i]); /* what still runs in it is swept by the cluster service */
        free(self->folders[i]);
    }
    *self = (cgroups_t){.version = CGROUP_NONE};
}

/* ---- one container ----------------------------------------------------------------------------
 */

static char *folder_of(const cgroup_t *self, int controller)
{
    return xasprintf("%s/%s",
        self->all->folders[self->all->version == CGROUP_V2 ? CPU : controller], self->name);
}

static void set_limit(
    const cgroup_t *self, int controller, const char *file, const char *format, int64_t value)
{
    if (!value)
        return;
    AUTO_FREE char *folder = folder_of(self, controller);
    AUTO_FREE char *text = xasprintf("%" PRId64 "%s", value, format);
    (void)write_file(folder, file, text); /* a limit the kernel refuses is shown by its account */
}

enum { PERIOD_US = 100000, QUOTA_LEAST_US = 1000 /* the kernel takes no less */ };

/* What containers get of a busy machine, as kubelet and runc turn requests into it. */
static void set_share(const cgroup_t *self, int64_t request_millis, bool is_v2)
{
    enum { SHARES_LEAST = 2, SHARES_MOST = 262144 };
    int64_t shares = request_millis * 1024 / 1000;
    shares = shares < SHARES_LEAST ? SHARES_LEAST : shares > SHARES_MOST ? SHARES_MOST : shares;
    int64_t weight = 1 + (shares - SHARES_LEAST) * 9999 / (SHARES_MOST - SHARES_LEAST);
    set_limit(self, CPU, is_v2 ? "cpu.weight" : "cpu.shares", "", is_v2 ? weight : shares);
}

static void set_limits(const cgroup_t *self, const cgroup_limits_t *limits)
{
    bool is_v2 = self->all->version == CGROUP_V2;
    int64_t quota_us = limits->cpu_millis * PERIOD_US / 1000;
    if (limits->cpu_millis && quota_us < QUOTA_LEAST_US)
        quota_us = QUOTA_LEAST_US;
    set_limit(self, CPU, is_v2 ? "cpu.max" : "cpu.cfs_quota_us", is_v2 ? " 100000" : "", quota_us);
    set_share(self, limits->cpu_request_millis, is_v2);
    set_limit(
        self, MEMORY, is_v2 ? "memory.max" : "memory.limit_in_bytes", "", limits->memory_bytes);
    set_limit(self, PIDS, "pids.max", "", limits->pids);
    if (is_v2 && limits->memory_bytes) {
        AUTO_FREE char *folder = folder_of(self, MEMORY);
        (void)write_file(folder, "memory.swap.max", "0");  /* absent without swap accounting */
        (void)write_file(folder, "memory.oom.group", "1"); /* all of the container, as kubelet's */
    }
}

static uint64_t count_ooms(const cgroup_t *self)
{
    char text[512];
    AUTO_FREE char *folder = folder_of(self, MEMORY);
    const char *file = self->all->version == CGROUP_V2 ? "memory.events" : "memory.oom_control";
    return read_file(folder, file, text, sizeof(text)) ? find_number(text, "oom_kill") : 0;
}

int cgroup_init(cgroup_t *self, const cgroups_t *all, const char *name,
    const cgroup_limits_t *limits, err_t *err)
{
    *self = (cgroup_t){.all = all, .name = xstrdup(name)};
    int count = all->version == CGROUP_NONE ? 0 : all->version == CGROUP_V2 ? 1 : CONTROLLERS;
    for (int i = 0; i < count; i++) {
        AUTO_FREE char *folder = folder_of(self, i);
        AUTO_FREE char *procs = xasprintf("%s/cgroup.procs", folder);
        if (mkdir(folder, 0755) < 0 && errno != EEXIST) {
            int rc = err_set(err, ERR_IO, "cannot make cgroup '%s': %s", folder, strerror(errno));
            cgroup_done(self);
            return rc;
        }
        int fd = open(procs, O_WRONLY | O_CLOEXEC);
        if (fd >= 0)
            self->enter_fds[self->enter_count++] = fd;
    }
    if (count) {
        set_limits(self, limits);
        self->oom_before = count_ooms(self);
    }
    return 0;
}

void cgroup_done(cgroup_t *self)
{
    for (size_t i = 0; i < self->enter_count; i++)
        close(self->enter_fds[i]);
    int count = !self->all || self->all->version == CGROUP_NONE ? 0
                : self->all->version == CGROUP_V2               ? 1
                                                                : CONTROLLERS;
    for (int i = 0; i < count; i++) {
        AUTO_FREE char *folder = folder_of(self, i);
        (void)rmdir(folder); /* absent after a half-made init */
    }
    free(self->name);
    *self = (cgroup_t){0};
}

static void read_v1(const cgroup_t *self, cgroup_usage_t *usage)
{
    enum { TICK_NS = 10000000 }; /* cpuacct.stat counts in USER_HZ, which is 100 on Linux */
    char text[4096];
    AUTO_FREE char *cpu = folder_of(self, CPU);
    AUTO_FREE char *cpuacct = folder_of(self, CPUACCT);
    AUTO_FREE char *memory = folder_of(self, MEMORY);
    AUTO_FREE char *pids = folder_of(self, PIDS);
    usage->cpu_ns = read_number(cpuacct, "cpuacct.usage");
    if (read_file(cpuacct, "cpuacct.stat", text, sizeof(text))) {
        usage->cpu_user_ns = find_number(text, "user") * TICK_NS;
        usage->cpu_system_ns = find_number(text, "system") * TICK_NS;
    }
    if (read_file(cpu, "cpu.stat", text, sizeof(text))) {
        usage->periods = find_number(text, "nr_periods");
        usage->throttled_periods = find_number(text, "nr_throttled");
        usage->throttled_ns = find_number(text, "throttled_time");
    }
    usage->memory_bytes = read_number(memory, "memory.usage_in_bytes");
    if (read_file(memory, "memory.stat", text, sizeof(text))) {
        usage->rss_bytes = find_number(text, "total_rss");
        usage->cache_bytes = find_number(text, "total_cache");
        usage->mapped_bytes = find_number(text, "total_mapped_file");
        uint64_t inactive = find_number(text, "total_inactive_file");
        usage->working_set_bytes =
            usage->memory_bytes > inactive ? usage->memory_bytes - inactive : 0;
    }
    usage->pids = read_number(pids, "pids.current");
}

static void read_v2(const cgroup_t *self, cgroup_usage_t *usage)
{
    enum { US = 1000 };
    char text[4096];
    AUTO_FREE char *folder = folder_of(self, CPU);
    if (read_file(folder, "cpu.stat", text, sizeof(text))) {
        usage->cpu_ns = find_number(text, "usage_usec") * US;
        usage->cpu_user_ns = find_number(text, "user_usec") * US;
        usage->cpu_system_ns = find_number(text, "system_usec") * US;
        usage->periods = find_number(text, "nr_periods");
        usage->throttled_periods = find_number(text, "nr_throttled");
        usage->throttled_ns = find_number(text, "throttled_usec") * US;
    }
    usage->memory_bytes = read_number(folder, "memory.current");
    if (read_file(folder, "memory.stat", text, sizeof(text))) {
        usage->rss_bytes = find_number(text, "anon");
        usage->cache_bytes = find_number(text, "file");
        usage->mapped_bytes = find_number(text, "file_mapped");
        uint64_t inactive = find_number(text, "inactive_file");
        usage->working_set_bytes =
            usage->memory_bytes > inactive ? usage->memory_bytes - inactive : 0;
    }
    usage->pids = read_number(folder, "pids.current");
}

bool cgroup_read(const cgroup_t *self, cgroup_usage_t *usage)
{
    *usage = (cgroup_usage_t){0};
    if (self->all->version == CGROUP_V1)
        read_v1(self, usage);
    else if (self->all->version == CGROUP_V2)
        read_v2(self, usage);
    return self->all->version != CGROUP_NONE;
}

bool cgroup_was_oom(const cgroup_t *self)
{
    return self->all->version != CGROUP_NONE && count_ooms(self) > self->oom_before;
}
