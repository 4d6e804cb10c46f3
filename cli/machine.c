#include "cli/machine.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- programs ------------------------------------------------------------------------------ */

static const struct program {
    const char *name;
    const char *variable; /* names another, if it is set; NULL: none does */
    const char *loss;
} programs[] = {
    {"kubectl", "AIOPSLAB_KUBECTL",
        "no kubectl: agents have none in their shell (Debian: kubernetes-client)"},
    {"memcached", NULL, "no memcached: applications that cache do not start"},
    {"redis-server", NULL, "no redis-server: applications that store do not start"},
};

static bool is_in_path(const char *name)
{
    const char *folder = getenv("PATH");
    for (size_t length; folder && *folder; folder += length + (folder[length] == ':')) {
        length = strcspn(folder, ":");
        AUTO_FREE char *path = xasprintf("%.*s/%s", (int)length, folder, name);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static bool is_there(const struct program *program)
{
    const char *named = program->variable ? getenv(program->variable) : NULL;
    return named && *named ? access(named, X_OK) == 0 : is_in_path(program->name);
}

/* ---- cgroups ------------------------------------------------------------------------------- */

/* The folder of our own cgroup: of the second version, or of the memory controller of the first. */
static char *own_cgroup(void)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[512];
    char *found = NULL;
    while (file && fgets(line, sizeof(line), file)) {
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        line[strcspn(line, "\n")] = '\0';
        *path++ = '\0';
        bool is_second = !controllers[1] && access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
        if (!is_second && strcmp(controllers + 1, "memory") != 0)
            continue;
        free(found);
        found = xasprintf("/sys/fs/cgroup%s%s", is_second ? "" : "/memory", path);
    }
    if (file)
        fclose(file);
    return found;
}

static bool may_limit(void)
{
    AUTO_FREE char *folder = own_cgroup();
    return folder && access(folder, W_OK) == 0;
}

json_t *machine_missing(void)
{
    json_t *missing = json_array();
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
        if (!is_there(&programs[i]))
            json_array_append_new(missing, json_string(programs[i].loss));
    }
    if (!may_limit())
        json_array_append_new(missing,
            json_string("no cgroup of our own: no processor limits for pods, and memory is limited "
                        "by address space only"));
    return missing;
}
