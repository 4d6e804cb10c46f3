#include "services/cluster/env/kubelet/volume_place.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/quantity.h"
#include "services/cluster/runtime/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 30 };

/* ---- tmpfs ------------------------------------------------------------------------------------
 */

bool place_is_mounted(const char *path)
{
    struct stat own;
    struct stat above;
    AUTO_FREE char *parent = xasprintf("%s/..", path);
    return stat(path, &own) == 0 && stat(parent, &above) == 0 && own.st_dev != above.st_dev;
}

int place_mount(const char *path, int64_t bytes, const char *more, err_t *err)
{
    if (place_is_mounted(path))
        return 0;
    int64_t size = bytes <= 0 || bytes > MOST_BYTES ? MOST_BYTES : bytes;
    AUTO_FREE char *options = xasprintf("size=%" PRId64 ",nr_inodes=64k,%s", size, more);
    if ((mkdir(path, 0755) < 0 && errno != EEXIST)
        || mount("volume", path, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
        return err_set(err, ERR_IO, "cannot make '%s': %s", path, strerror(errno));
    return 0;
}

/* ---- groups -----------------------------------------------------------------------------------
 */

gid_t place_group(const json_t *pod)
{
    return (gid_t)object_integer(pod, "spec.securityContext.fsGroup", 0);
}

static void give_one(int parent_fd, const char *name, gid_t gid, int depth)
{
    enum { DEEPEST = 64 };
    struct stat info;
    int fd = openat(parent_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return; /* a link, or gone */
    bool is_folder = fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
    (void)fchown(fd, (uid_t)-1, gid); /* in a user namespace there are no others */
    (void)fchmod(fd, (info.st_mode & 07777) | (is_folder ? 02770 : 0660));
    DIR *entries = is_folder && depth < DEEPEST ? fdopendir(fd) : NULL;
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            give_one(fd, entry->d_name, gid, depth + 1);
    }
    if (entries)
        closedir(entries);
    else
        close(fd);
}

void place_give(const char *path, gid_t gid)
{
    if (gid)
        give_one(AT_FDCWD, path, gid, 0);
}

/* ---- claims and nodes -------------------------------------------------------------------------
 */

static const json_t *claim_of(const volumes_subject_t *subject, const json_t *volume)
{
    return store_get(subject->pod.store, kind_find("PersistentVolumeClaim"),
        object_namespace(subject->pod.pod),
        object_string(volume, "persistentVolumeClaim.claimName"));
}

static const json_t *bound_to(const volumes_subject_t *subject, const json_t *volume)
{
    return store_get(subject->pod.store, kind_find("PersistentVolume"), NULL,
        object_string(claim_of(subject, volume), "spec.volumeName"));
}

static bool is_provisioned(const json_t *persistent)
{
    return object_annotation(persistent, "pv.kubernetes.io/provisioned-by") != NULL;
}

/* The path on the node that a volume, of a pod or persistent, stands for. */
static const char *path_on_node(const json_t *source)
{
    const char *path = object_string(source, "hostPath.path");
    return *path ? path : object_string(source, "local.path");
}

static char *node_folder(const volumes_subject_t *subject)
{
    return xasprintf(
        "%s/nodes/%s", subject->work_dir, object_string(subject->pod.pod, "spec.nodeName"));
}

void place_init(place_t *self, const volumes_subject_t *subject, const json_t *volume)
{
    const json_t *persistent =
        object_at(volume, "persistentVolumeClaim") ? bound_to(subject, volume) : NULL;
    *self = (place_t){.is_read_only = object_is_true(volume, "persistentVolumeClaim.readOnly")
                                      || volume_has_files(volume)};
    if (persistent && is_provisioned(persistent)) {
        self->source = xasprintf("%s/claims/%s", subject->work_dir, object_name(persistent));
    } else if (persistent || object_at(volume, "hostPath")) {
        const json_t *source = persistent ? object_at(persistent, "spec") : volume;
        self->source = node_folder(subject);
        self->sub_path = xstrdup(path_on_node(source));
    } else {
        self->source = xasprintf("%s/pods/%s/%s", subject->work_dir, object_uid(subject->pod.pod),
            object_string(volume, "name"));
    }
}

void place_done(place_t *self)
{
    free(self->source);
    free(self->sub_path);
    *self = (place_t){0};
}

/* ---- making ready -----------------------------------------------------------------------------
 */

/* S_IFDIR or S_IFREG of what is there, 0 for nothing. */
static mode_t type_of(int folder_fd, const char *path)
{
    struct stat info = {0};
    int fd = inside_open(folder_fd, path, INSIDE_AS_IS);
    if (fd >= 0) {
        (void)fstat(fd, &info); /* nothing is what it is then */
        close(fd);
    }
    return info.st_mode & S_IFMT;
}

/* The sentence of the real check, or NULL. */
static const char *refusal(const char *type, mode_t found)
{
    if (strcmp(type, "Directory") == 0 || strcmp(type, "DirectoryOrCreate") == 0)
        return S_ISDIR(found) ? NULL : "is not a directory";
    if (strcmp(type, "File") == 0 || strcmp(type, "FileOrCreate") == 0)
        return S_ISREG(found) ? NULL : "is not a file";
    if (strcmp(type, "Socket") == 0)
        return "is not a socket file";
    if (strcmp(type, "CharDevice") == 0)
        return "is not a character device";
    return strcmp(type, "BlockDevice") == 0 ? "is not a block device" : NULL;
}

static int prepare_path(const char *folder, const json_t *source, const char *name, err_t *err)
{
    const char *type = object_string(source, "hostPath.type");
    const char *path = path_on_node(source);
    bool is_made = !*type || strcmp(type, "DirectoryOrCreate") == 0;
    if ((mkdir(folder, 0755) < 0 && errno != EEXIST))
        return err_set(err, ERR_IO, "cannot make '%s': %s", folder, strerror(errno));
    int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (!type_of(folder_fd, path) && (is_made || strcmp(type, "FileOrCreate") == 0)) {
        int fd = inside_open(folder_fd, path, is_made ? INSIDE_MAKE_FOLDER : INSIDE_MAKE_FILE);
        if (fd >= 0)
            close(fd);
    }
    mode_t found = type_of(folder_fd, path);
    close(folder_fd);
    const char *why =
        object_at(source, "local") ? (found ? NULL : "does not exist") : refusal(type, found);
    if (!why)
        return 0;
    return object_at(source, "local")
               ? err_set(err, ERR_NOT_FOUND,
                   "MountVolume.NewMounter initialization failed for volume \"%s\" : path \"%s\" "
                   "does not exist",
                   name, path)
               : err_set(err, ERR_NOT_FOUND,
                   "MountVolume.SetUp failed for volume \"%s\" : hostPath type check failed: %s %s",
                   name, path, why);
}

int place_prepare_host_path(const volumes_subject_t *subject, const json_t *volume, err_t *err)
{
    AUTO_FREE char *folder = node_folder(subject);
    return prepare_path(folder, volume, object_string(volume, "name"), err);
}

static int refuse_claim(
    const volumes_subject_t *subject, const json_t *volume, const char *why, err_t *err)
{
    const char *name = object_string(volume, "name");
    return err_set(err, ERR_NOT_FOUND,
        "Unable to attach or mount volumes: unmounted volumes=[%s], unattached volumes=[], failed "
        "to process volumes=[%s]: error processing PVC %s/%s: %s",
        name, name, object_namespace(subject->pod.pod),
        object_string(volume, "persistentVolumeClaim.claimName"), why);
}

int place_prepare_claim(const volumes_subject_t *subject, const json_t *volume, err_t *err)
{
    const json_t *claim = claim_of(subject, volume);
    const json_t *persistent = bound_to(subject, volume);
    const char *claim_name = object_string(volume, "persistentVolumeClaim.claimName");
    if (!claim) {
        AUTO_FREE char *why = xasprintf("failed to fetch PVC from API server: "
                                        "persistentvolumeclaims \"%s\" not found",
            claim_name);
        return refuse_claim(subject, volume, why, err);
    }
    if (!persistent || strcmp(object_string(claim, "status.phase"), "Bound") != 0)
        return refuse_claim(subject, volume, "PVC is not bound", err);
    AUTO_FREE char *node = node_folder(subject);
    AUTO_FREE char *folder = xasprintf("%s/claims/%s", subject->work_dir, object_name(persistent));
    int64_t size = quantity_units(object_at(persistent, "spec.capacity.storage"));
    int rc = !is_provisioned(persistent)
                 ? prepare_path(node, object_at(persistent, "spec"), object_name(persistent), err)
                 : place_mount(folder, size, "mode=777", err);
    if (rc == 0 && is_provisioned(persistent))
        place_give(folder, place_group(subject->pod.pod));
    return rc;
}
