#include "services/cluster/env/kubelet/volumes.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/kubelet/volume_place.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/quantity.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { POD_BYTES = 16 << 20, NODE_BYTES = 512 << 20 };

static char *pod_folder(const volumes_subject_t *subject)
{
    return xasprintf("%s/pods/%s", subject->work_dir, object_uid(subject->pod.pod));
}

int volumes_begin(const char *work_dir, err_t *err)
{
    static const char *const names[] = {"pods", "claims", "nodes"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        AUTO_FREE char *path = xasprintf("%s/%s", work_dir, names[i]);
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return err_set(err, ERR_IO, "cannot make '%s': %s", path, strerror(errno));
    }
    AUTO_FREE char *nodes = xasprintf("%s/nodes", work_dir);
    return place_mount(nodes, NODE_BYTES, "mode=755", err);
}

/* ---- preparing --------------------------------------------------------------------------------
 */

static int prepare_empty(const volumes_subject_t *subject, const json_t *volume, err_t *err)
{
    place_t place;
    bool is_memory = strcmp(object_string(volume, "emptyDir.medium"), "Memory") == 0;
    int64_t limit = quantity_units(object_at(volume, "emptyDir.sizeLimit"));
    place_init(&place, subject, volume);
    /* On a disk the limit is not a wall: who passes it is evicted. */
    int rc = place_mount(place.source, is_memory ? limit : 0, "mode=777", err);
    if (rc == 0)
        place_give(place.source, place_group(subject->pod.pod));
    place_done(&place);
    return rc;
}

static int prepare_files(const volumes_subject_t *subject, const json_t *volume, err_t *err)
{
    place_t place;
    place_init(&place, subject, volume);
    bool is_made = mkdir(place.source, 0755) == 0 || errno == EEXIST;
    place_done(&place);
    return is_made ? volume_write_files(subject, volume, err)
                   : err_set(err, ERR_IO, "cannot make a volume: %s", strerror(errno));
}

static int prepare_volume(const volumes_subject_t *subject, const json_t *volume, err_t *err)
{
    if (object_at(volume, "emptyDir"))
        return prepare_empty(subject, volume, err);
    if (object_at(volume, "persistentVolumeClaim"))
        return place_prepare_claim(subject, volume, err);
    if (object_at(volume, "hostPath"))
        return place_prepare_host_path(subject, volume, err);
    return prepare_files(subject, volume, err);
}

int volumes_prepare(const volumes_subject_t *subject, err_t *err)
{
    AUTO_FREE char *folder = pod_folder(subject);
    size_t i;
    json_t *volume;
    int rc = place_mount(folder, POD_BYTES, "mode=755", err);
    json_array_foreach(object_at(subject->pod.pod, "spec.volumes"), i, volume) rc =
        rc < 0 ? rc : prepare_volume(subject, volume, err);
    return rc;
}

void volumes_refresh(const volumes_subject_t *subject)
{
    size_t i;
    json_t *volume;
    json_array_foreach(object_at(subject->pod.pod, "spec.volumes"), i, volume)
    {
        err_t err = {0};
        if (volume_has_files(volume))
            (void)volume_write_files(subject, volume, &err); /* what is gone stays as it was */
    }
}

/* What is mounted below goes with it, once nobody uses it any more. */
void volumes_remove(const volumes_subject_t *subject)
{
    AUTO_FREE char *folder = pod_folder(subject);
    (void)umount2(folder, MNT_DETACH); /* absent is fine */
    (void)rmdir(folder);
}

void volumes_forget_claim(const char *work_dir, const char *volume)
{
    AUTO_FREE char *folder = xasprintf("%s/claims/%s", work_dir, volume);
    (void)umount2(folder, MNT_DETACH); /* never mounted is fine */
    (void)rmdir(folder);
}

/* ---- limits -----------------------------------------------------------------------------------
 */

static int64_t limit_of(const json_t *volume)
{
    bool is_memory = strcmp(object_string(volume, "emptyDir.medium"), "Memory") == 0;
    return is_memory ? 0 : quantity_units(object_at(volume, "emptyDir.sizeLimit"));
}

bool volumes_have_limits(const json_t *pod)
{
    size_t i;
    json_t *volume;
    json_array_foreach(object_at(pod, "spec.volumes"), i, volume)
    {
        if (limit_of(volume) > 0)
            return true;
    }
    return false;
}

char *volumes_excess(const volumes_subject_t *subject)
{
    size_t i;
    json_t *volume;
    json_array_foreach(object_at(subject->pod.pod, "spec.volumes"), i, volume)
    {
        struct statvfs space;
        place_t place;
        place_init(&place, subject, volume);
        int64_t limit = limit_of(volume);
        bool is_read = limit > 0 && statvfs(place.source, &space) == 0;
        place_done(&place);
        if (is_read && (int64_t)((space.f_blocks - space.f_bfree) * space.f_frsize) > limit)
            return xasprintf("Usage of EmptyDir volume \"%s\" exceeds the limit \"%s\". ",
                object_string(volume, "name"), object_string(volume, "emptyDir.sizeLimit"));
    }
    return NULL;
}

/* ---- mounts -----------------------------------------------------------------------------------
 */

char *volumes_message_file(const volumes_subject_t *subject, const char *container)
{
    return xasprintf(
        "%s/pods/%s/..message-%s", subject->work_dir, object_uid(subject->pod.pod), container);
}

static const json_t *find_volume(const json_t *pod, const char *name)
{
    size_t i;
    json_t *volume;
    json_array_foreach(object_at(pod, "spec.volumes"), i, volume)
    {
        if (strcmp(object_string(volume, "name"), name) == 0)
            return volume;
    }
    return NULL;
}

/* A part of a part is looked up below the volume's own root, where containers put no links. */
static char *join(const char *first, const char *second)
{
    if (!first || !*second)
        return first ? xstrdup(first) : *second ? xstrdup(second) : NULL;
    return xasprintf("%s/%s", first, second);
}

static rootfs_mount_t mount_of(
    const volumes_subject_t *subject, const json_t *entry, volumes_expand_fn *expand, void *arg)
{
    place_t place;
    const char *expression = object_string(entry, "subPathExpr");
    AUTO_FREE char *part =
        *expression ? expand(arg, expression) : xstrdup(object_string(entry, "subPath"));
    place_init(&place, subject, find_volume(subject->pod.pod, object_string(entry, "name")));
    rootfs_mount_t mount = {
        .source = TAKE(place.source),
        .sub_path = join(place.sub_path, part),
        .target = xstrdup(object_string(entry, "mountPath")),
        .is_read_only = place.is_read_only || object_is_true(entry, "readOnly"),
    };
    place_done(&place);
    return mount;
}

/* Empty at every start. */
static rootfs_mount_t message_mount(const volumes_subject_t *subject, const json_t *container)
{
    char *file = volumes_message_file(subject, object_string(container, "name"));
    const char *path = object_string(container, "terminationMessagePath");
    int fd = open(file, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0666);
    if (fd >= 0) {
        (void)fchmod(fd, 0666); /* whoever the container runs as */
        close(fd);
    }
    return (rootfs_mount_t){.source = file, .target = xstrdup(path)};
}

rootfs_mount_t *volumes_mounts(const volumes_subject_t *subject, const json_t *container,
    const char *bundle, volumes_expand_fn *expand, void *arg, size_t *count_p)
{
    const json_t *entries = object_at(container, "volumeMounts");
    rootfs_mount_t *mounts = xcalloc(json_array_size(entries) + 2, sizeof(*mounts));
    size_t count = 0;
    if (bundle)
        mounts[count++] = (rootfs_mount_t){
            .source = xstrdup(bundle), .target = xstrdup("/app"), .is_read_only = true};
    size_t i;
    json_t *entry;
    json_array_foreach(entries, i, entry) mounts[count++] = mount_of(subject, entry, expand, arg);
    if (*object_string(container, "terminationMessagePath"))
        mounts[count++] = message_mount(subject, container);
    *count_p = count;
    return mounts;
}

void volumes_free_mounts(rootfs_mount_t *mounts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free((char *)mounts[i].source);
        free((char *)mounts[i].sub_path);
        free((char *)mounts[i].target);
    }
    free(mounts);
}
