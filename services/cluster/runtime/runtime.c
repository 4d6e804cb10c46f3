#include "services/cluster/runtime/internal.h"
#include "services/cluster/runtime/netns.h"

#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_one_user_mapped(void)
{
    char map[128] = "";
    int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, map, sizeof(map) - 1);
    if (fd >= 0)
        close(fd);
    unsigned long long inside = 0;
    unsigned long long outside = 0;
    unsigned long long count = 0;
    return size <= 0 || sscanf(map, "%llu %llu %llu", &inside, &outside, &count) != 3
           || outside != 0 || count < 65536;
}

bool runtime_has_one_user(void)
{
    static int has_one = -1;
    if (has_one < 0)
        has_one = is_one_user_mapped();
    return has_one;
}

static json_t *describe(const cgroups_t *cgroups)
{
    static const char *const versions[] = {
        [CGROUP_NONE] = "none", [CGROUP_V1] = "v1", [CGROUP_V2] = "v2"};
    json_t *degraded = json_array();
    if (cgroups->version == CGROUP_NONE) {
        json_array_append_new(degraded, json_string("cpu limits"));
        json_array_append_new(degraded, json_string("memory limits by address space only"));
        json_array_append_new(degraded, json_string("process limits by user, not by container"));
    }
    if (runtime_has_one_user())
        json_array_append_new(degraded, json_string("all containers run as one user"));
    return json_pack("{s:s, s:s, s:o}", "user", runtime_has_one_user() ? "user namespace" : "root",
        "cgroups", versions[cgroups->version], "degraded", degraded);
}

/* Mounts made here must not travel to where the namespace was copied from. */
static int prepare_mounts(runtime_t *self, const char *work_dir, err_t *err)
{
    self->stage = xasprintf("%s/stage", work_dir);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return err_set(err, ERR_IO, "cannot make mounts private: %s", strerror(errno));
    if (mkdir(self->stage, 0755) < 0 && errno != EEXIST)
        return err_set(err, ERR_IO, "cannot make '%s': %s", self->stage, strerror(errno));
    return 0;
}

/* Of the paths to be hidden, those that containers would see. */
static char **hidden_paths(const json_t *paths)
{
    char **hidden = xcalloc(json_array_size(paths) + 1, sizeof(*hidden));
    size_t count = 0;
    size_t i;
    json_t *path;
    json_array_foreach(paths, i, path)
    {
        AUTO_FREE char *real = realpath(json_string_value(path), NULL);
        if (real && strncmp(real, "/usr/", 5) == 0)
            hidden[count++] = TAKE(real);
    }
    return hidden;
}

runtime_t *runtime_new(ev_t *ev, const runtime_config_t *config, err_t *err)
{
    AUTO(runtime_destroy) runtime_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->dying = zlistx_new();
    if (prepare_mounts(self, config->work_dir, err) < 0 || netns_prepare_router(err) < 0)
        return NULL;
    self->hidden = hidden_paths(config->hidden);
    cgroups_init(&self->cgroups, config->cgroup);
    self->features = describe(&self->cgroups);
    return TAKE(self);
}

void runtime_destroy(runtime_t **self_p)
{
    runtime_t *self = *self_p;
    if (!self)
        return;
    while (zlistx_first(self->dying))
        container_bury(zlistx_first(self->dying));
    zlistx_destroy(&self->dying);
    cgroups_done(&self->cgroups);
    json_decref(self->features);
    free(self->used_indexes);
    free(self->stage);
    for (size_t i = 0; self->hidden && self->hidden[i]; i++)
        free(self->hidden[i]);
    free(self->hidden);
    free(self);
    *self_p = NULL;
}

const json_t *runtime_features(const runtime_t *self)
{
    return self->features;
}
