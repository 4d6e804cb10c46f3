#include "services/cluster/env/kubelet/volumes.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/kubelet/base64.h"
#include "services/cluster/env/object.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_folder(const char *path, mode_t mode, err_t *err)
{
    if ((mkdir(path, mode) < 0 && errno != EEXIST) || chmod(path, mode) < 0)
        return err_set(err, ERR_IO, "cannot make '%s': %s", path, strerror(errno));
    return 0;
}

static int write_file(
    const char *folder, const char *name, const char *bytes, size_t size, err_t *err)
{
    if (!*name || strchr(name, '/') || name[0] == '.')
        return err_set(err, ERR_INVALID, "key '%s' cannot be a file name", name);
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
    ssize_t written = fd < 0 ? -1 : write(fd, bytes, size);
    if (fd >= 0)
        close(fd);
    if (written != (ssize_t)size)
        return err_set(err, ERR_IO, "cannot write '%s': %s", path, strerror(errno));
    return 0;
}

static int write_key(
    const char *folder, const char *name, const json_t *value, bool is_secret, err_t *err)
{
    const char *text = json_string_value(value);
    if (!is_secret)
        return write_file(folder, name, text ? text : "", text ? strlen(text) : 0, err);
    size_t size = 0;
    AUTO_FREE char *bytes = base64_decode(text ? text : "", &size);
    return write_file(folder, name, bytes, size, err);
}

/* The keys of data that `items` names, under their paths; all of them without items. */
static int write_keys(
    const char *folder, const json_t *object, const json_t *items, bool is_secret, err_t *err)
{
    const json_t *data = object_at(object, "data");
    const char *key;
    json_t *value;
    size_t i;
    int rc = 0;
    if (!items) {
        json_object_foreach((json_t *)data, key, value)
        {
            rc = rc < 0 ? rc : write_key(folder, key, value, is_secret, err);
        }
        return rc;
    }
    json_t *item;
    json_array_foreach(items, i, item)
    {
        value = json_object_get(data, object_string(item, "key"));
        if (!value)
            return err_set(err, ERR_NOT_FOUND, "references non-existent config key: %s",
                object_string(item, "key"));
        rc = rc < 0 ? rc : write_key(folder, object_string(item, "path"), value, is_secret, err);
    }
    return rc;
}

static int prepare_keys(store_t *store, const json_t *pod, const json_t *volume, const char *folder,
    bool is_secret, err_t *err)
{
    const json_t *source = object_at(volume, is_secret ? "secret" : "configMap");
    const char *name = object_string(source, is_secret ? "secretName" : "name");
    const json_t *object = store_get(
        store, kind_find(is_secret ? "Secret" : "ConfigMap"), object_namespace(pod), name);
    if (!object)
        return object_is_true(source, "optional")
                   ? 0
                   : err_set(err, ERR_NOT_FOUND,
                       "MountVolume.SetUp failed for volume \"%s\" : %s \"%s\" not found",
                       object_string(volume, "name"), is_secret ? "secret" : "configmap", name);
    return write_keys(folder, object, object_at(source, "items"), is_secret, err);
}

static int prepare_volume(
    store_t *store, const json_t *pod, const json_t *volume, const char *folder, err_t *err)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, object_string(volume, "name"));
    int rc = make_folder(path, 0777, err);
    if (rc < 0)
        return rc;
    if (object_at(volume, "emptyDir"))
        return 0;
    if (object_at(volume, "configMap"))
        return prepare_keys(store, pod, volume, path, false, err);
    if (object_at(volume, "secret"))
        return prepare_keys(store, pod, volume, path, true, err);
    return err_set(err, ERR_INVALID,
        "MountVolume.SetUp failed for volume \"%s\" : no volume plugin matched",
        object_string(volume, "name"));
}

int volumes_prepare(store_t *store, const json_t *pod, const char *folder, err_t *err)
{
    const json_t *volumes = object_at(pod, "spec.volumes");
    size_t i;
    json_t *volume;
    int rc = json_array_size(volumes) ? make_folder(folder, 0755, err) : 0;
    json_array_foreach(volumes, i, volume) rc =
        rc < 0 ? rc : prepare_volume(store, pod, volume, folder, err);
    return rc;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    (void)remove(path); /* what is left goes with the environment's folder */
    return 0;
}

void volumes_remove(const char *folder)
{
    enum { OPEN_FOLDERS = 8 };
    (void)nftw(folder, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS); /* absent is fine */
}

static rootfs_mount_t mount_of(const json_t *entry, const char *folder)
{
    const char *sub_path = object_string(entry, "subPath");
    return (rootfs_mount_t){
        .source = xasprintf("%s/%s", folder, object_string(entry, "name")),
        .sub_path = *sub_path ? sub_path : NULL,
        .target = xstrdup(object_string(entry, "mountPath")),
        .is_read_only = object_is_true(entry, "readOnly"),
    };
}

rootfs_mount_t *volumes_mounts(
    const json_t *container, const char *folder, const char *bundle, size_t *count_p)
{
    const json_t *entries = object_at(container, "volumeMounts");
    rootfs_mount_t *mounts = xcalloc(json_array_size(entries) + 1, sizeof(*mounts));
    size_t count = 0;
    if (bundle)
        mounts[count++] = (rootfs_mount_t){
            .source = xstrdup(bundle), .target = xstrdup("/app"), .is_read_only = true};
    size_t i;
    json_t *entry;
    json_array_foreach(entries, i, entry) mounts[count++] = mount_of(entry, folder);
    *count_p = count;
    return mounts;
}

void volumes_free_mounts(rootfs_mount_t *mounts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free((char *)mounts[i].source);
        free((char *)mounts[i].target);
    }
    free(mounts);
}
