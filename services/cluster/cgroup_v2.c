#include "services/cluster/cgroup_v2.h"

#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_SIZE = 4096, MOVE_ROUNDS = 10 };

static const char *const controllers[] = {"cpu", "memory", "pids"};
static const char enabling[] = "+cpu +memory +pids";

static bool read_text(const char *folder, const char *name, char text[FILE_SIZE])
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, text, FILE_SIZE - 1);
    close(fd);
    text[size > 0 ? size : 0] = '\0';
    return size >= 0;
}

static int write_text(const char *folder, const char *name, const char *text)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t size = write(fd, text, strlen(text));
    int rc = size == (ssize_t)strlen(text) ? 0 : -errno;
    close(fd);
    return rc;
}

/* Whether a list of words has all our controllers. */
static bool has_all(const char *words)
{
    for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
        size_t length = strlen(controllers[i]);
        bool is_there = false;
        for (const char *word = words; *word; word += strcspn(word, " \n")) {
            word += strspn(word, " \n");
            is_there =
                is_there
                || (strcspn(word, " \n") == length && strncmp(word, controllers[i], length) == 0);
        }
        if (!is_there)
            return false;
    }
    return true;
}

/* The path in the line "0::/path". */
static bool find_own(const char *table, char path[FILE_SIZE])
{
    const char *line = strncmp(table, "0::", 3) == 0 ? table : strstr(table, "\n0::");
    if (!line)
        return false;
    line += *line == '\n' ? 4 : 3;
    snprintf(path, FILE_SIZE, "%.*s", (int)strcspn(line, "\n"), line);
    cgroup_v2_strip(path);
    return true;
}

/* Moves what runs in folder into its leaf; processes may be born meanwhile, so a few times over. */
static int move_all(const char *folder)
{
    AUTO_FREE char *leaf = xasprintf("%s%s", folder, CGROUP_V2_LEAF);
    if (mkdir(leaf, 0755) < 0 && errno != EEXIST)
        return -errno;
    for (int round = 0; round < MOVE_ROUNDS; round++) {
        char pids[FILE_SIZE];
        if (!read_text(folder, "cgroup.procs", pids) || !*pids)
            break;
        char *rest = pids;
        for (char *pid = strtok_r(rest, "\n", &rest); pid; pid = strtok_r(NULL, "\n", &rest)) {
            int rc = write_text(leaf, "cgroup.procs", pid);
            if (rc < 0 && rc != -ESRCH) /* it has ended */
                return rc;
        }
    }
    return 0;
}

int cgroup_v2_prepare(const char *root, const char *table, err_t *err)
{
    char own[FILE_SIZE];
    char text[FILE_SIZE];
    if (!read_text(root, "cgroup.controllers", text) || !find_own(table, own))
        return 0; /* version 1, or none */
    AUTO_FREE char *folder = xasprintf("%s%s", root, strcmp(own, "/") == 0 ? "" : own);
    if (read_text(folder, "cgroup.subtree_control", text) && has_all(text))
        return 0;
    if (!read_text(folder, "cgroup.controllers", text) || !has_all(text))
        return err_set(err, ERR_UNAVAILABLE,
            "the cgroup '%s' has not all of the controllers cpu, memory and pids to give", own);
    int rc = write_text(folder, "cgroup.subtree_control", enabling);
    if (rc == -EBUSY) {
        rc = move_all(folder);
        rc = rc < 0 ? rc : write_text(folder, "cgroup.subtree_control", enabling);
    }
    return rc < 0 ? err_set(
               err, ERR_FORBIDDEN, "the cgroup '%s' is not ours to divide: %s", own, strerror(-rc))
                  : 0;
}
