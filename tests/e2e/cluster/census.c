#include "tests/e2e/cluster/census.h"

#include "base/auto.h"
#include "base/mem.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AWAIT_MS = 60000, LOOK_MS = 100, CLIENTS = 8 };

enum {
    DESCRIPTORS,
    THREADS,
    PROCESSES,
    MOUNTS,
    LINKS,
    ROUTES,
    NEIGHBOURS,
    UNIX_SOCKETS,
    CGROUPS,
    RULES,
    FILES
};

static const char *const names[CENSUS_COUNTS] = {"descriptors", "threads", "processes", "mounts",
    "links", "routes", "neighbours", "unix sockets", "cgroups", "rules", "files"};

/* ---- counting ---------------------------------------------------------------------------------
 */

static long count_threads(pid_t pid)
{
    AUTO_FREE char *path = xasprintf("/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    long count = -2; /* itself and its parent */
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Clients of the API may keep connections open: sockets are counted apart. */
static void count_descriptors(pid_t pid, census_t *census)
{
    AUTO_FREE char *path = xasprintf("/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char target[64] = "";
        if (readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1) < 0)
            continue;
        if (strncmp(target, "socket:", 7) == 0)
            census->sockets++;
        else
            census->counts[DESCRIPTORS]++;
    }
    closedir(dir);
}

static long count_lines(pid_t pid, const char *name)
{
    char line[4096];
    AUTO_FREE char *path = xasprintf("/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    long count = 0;
    while (fgets(line, sizeof(line), file))
        count++;
    fclose(file);
    return count;
}

/* With their children. */
static long count_processes(pid_t pid)
{
    AUTO_FREE char *path = xasprintf("/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "re");
    long count = 1;
    int child;
    if (!file)
        return 0; /* it has ended */
    while (fscanf(file, "%d", &child) == 1)
        count += count_processes(child);
    fclose(file);
    return count;
}

static long count_output(const char *command)
{
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    long count = 0;
    assert_int_equal(fscanf(pipe, "%ld", &count), 1);
    pclose(pipe);
    return count;
}

static long count_cgroups(const char *name)
{
    AUTO_FREE char *command = xasprintf(
        "for i in $(find /sys/fs/cgroup -type d -name 'aiopslab-%s.*' 2>/dev/null); do find $i "
        "-type d; done | wc -l",
        name);
    return count_output(command);
}

/* Rules, and the elements of maps and sets. */
static long count_rules(pid_t pid)
{
    AUTO_FREE char *command = xasprintf("nsenter --preserve-credentials -U -n -t %d nft list "
                                        "ruleset | wc -w",
        (int)pid);
    AUTO_FREE char *as_root = xasprintf("nsenter -n -t %d nft list ruleset | wc -w", (int)pid);
    return count_output(getuid() == 0 ? as_root : command);
}

static long count_files(pid_t pid, const char *folder)
{
    AUTO_FREE char *command =
        xasprintf("find /proc/%d/root%s 2>/dev/null | wc -l", (int)pid, folder);
    return count_output(command);
}

static long own_memory(pid_t pid)
{
    char line[256];
    AUTO_FREE char *path = xasprintf("/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    long kib = 0;
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtol(line + 8, NULL, 10);
    }
    fclose(file);
    return kib;
}

/* ---- taking it --------------------------------------------------------------------------------
 */

static void take_common(pid_t pid, census_t *census)
{
    *census = (census_t){.kib = own_memory(pid)};
    count_descriptors(pid, census);
    census->counts[THREADS] = count_threads(pid);
    census->counts[PROCESSES] = count_processes(pid);
    census->counts[MOUNTS] = count_lines(pid, "mountinfo");
}

void census_take_env(world_t *self, census_t *census)
{
    pid_t pid = world_env_pid(self);
    AUTO_FREE char *folder = xasprintf("%s/run/envs/%s", self->stack->folder, self->env);
    take_common(pid, census);
    census->counts[LINKS] = count_lines(pid, "net/dev");
    census->counts[ROUTES] = count_lines(pid, "net/route");
    census->counts[NEIGHBOURS] = count_lines(pid, "net/arp");
    census->counts[UNIX_SOCKETS] = count_lines(pid, "net/unix");
    census->counts[CGROUPS] = count_cgroups(self->env);
    census->counts[RULES] = count_rules(pid);
    census->counts[FILES] = count_files(pid, folder);
}

void census_take_service(world_t *self, const char *prefix, census_t *census)
{
    AUTO_FREE char *pattern = xasprintf("%s*", prefix);
    AUTO_FREE char *folder = xasprintf("%s/run/envs", self->stack->folder);
    take_common(self->cluster, census);
    census->counts[CGROUPS] = count_cgroups(pattern);
    census->counts[FILES] = count_files(self->cluster, folder);
}

static bool is_nothing_more(const census_t *before, const census_t *now, bool is_told)
{
    bool is_same = now->sockets <= before->sockets + CLIENTS;
    if (!is_same && is_told)
        print_error("sockets: %ld, were %ld\n", now->sockets, before->sockets);
    for (size_t i = 0; i < CENSUS_COUNTS; i++) {
        if (now->counts[i] <= before->counts[i])
            continue;
        is_same = false;
        if (is_told)
            print_error("%s: %ld, were %ld\n", names[i], now->counts[i], before->counts[i]);
    }
    return is_same;
}

void census_await(world_t *self, const census_t *before, census_fn *take)
{
    census_t now;
    int64_t until = ev_now(self->stack->ev) + AWAIT_MS;
    take(self, &now);
    while (!is_nothing_more(before, &now, false) && ev_now(self->stack->ev) < until) {
        bus_stack_run_for(self->stack, LOOK_MS);
        take(self, &now);
    }
    assert_true(is_nothing_more(before, &now, true));
}
