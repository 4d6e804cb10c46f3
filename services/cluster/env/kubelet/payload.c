#include "services/cluster/env/kubelet/payload.h"

#include "base/auto.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { OPEN_FOLDERS = 8 };

static bool leads_out(const char *path)
{
    if (*path == '/' || !*path)
        return true;
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/' ? 1 : 0;
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2]))
            return true;
    }
    return false;
}

void payload_add(payload_t *self, const char *path, char *bytes, size_t size, mode_t mode)
{
    if (leads_out(path)) {
        free(bytes);
        return;
    }
    self->files = mem_check(reallocarray(self->files, self->count + 1, sizeof(*self->files)));
    self->files[self->count++] =
        (payload_file_t){.path = xstrdup(path), .bytes = bytes, .size = size, .mode = mode};
}

void payload_done(payload_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->files[i].path);
        free(self->files[i].bytes);
    }
    free(self->files);
    *self = (payload_t){0};
}

/* ---- comparing --------------------------------------------------------------------------------
 */

static bool is_written(const payload_file_t *file, const char *folder)
{
    AUTO_FREE char *path = xasprintf("%s/..data/%s", folder, file->path);
    AUTO_FREE char *bytes = mem_check(malloc(file->size + 1));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, bytes, file->size + 1);
    close(fd);
    return size == (ssize_t)file->size && memcmp(bytes, file->bytes, file->size) == 0;
}

static size_t s_found; /* by nftw(), which passes no argument on */

static int count_file(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)path, (void)info, (void)where;
    s_found += type == FTW_F ? 1 : 0;
    return 0;
}

static bool is_present(const payload_t *self, const char *folder)
{
    AUTO_FREE char *data = xasprintf("%s/..data", folder);
    AUTO_FREE char *real = realpath(data, NULL);
    if (!real)
        return false;
    s_found = 0;
    (void)nftw(real, count_file, OPEN_FOLDERS, FTW_PHYS);
    bool is_same = s_found == self->count;
    for (size_t i = 0; is_same && i < self->count; i++)
        is_same = is_written(&self->files[i], folder);
    return is_same;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static void make_parents(const char *folder, const char *path)
{
    AUTO_FREE char *full = xasprintf("%s/%s", folder, path);
    for (char *slash = strchr(full + strlen(folder) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(full, 0755); /* it may be there */
        *slash = '/';
    }
}

static int write_file(const payload_file_t *file, const char *folder, gid_t gid, err_t *err)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, file->path);
    make_parents(folder, file->path);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t written = fd < 0 ? -1 : write(fd, file->bytes, file->size);
    int error = errno;
    if (fd >= 0) {
        if (gid)
            (void)fchown(fd, (uid_t)-1, gid); /* in a user namespace there are no others */
        (void)fchmod(fd, gid ? file->mode | 0440 : file->mode);
        close(fd);
    }
    return written == (ssize_t)file->size
               ? 0
               : err_set(err, ERR_IO, "cannot write '%s': %s", file->path, strerror(error));
}

/* The first part of each path becomes a link into ..data; one that leads nowhere now goes. */
static void link_names(const payload_t *self, const char *folder)
{
    for (size_t i = 0; i < self->count; i++) {
        AUTO_FREE char *name = xstrndup(self->files[i].path, strcspn(self->files[i].path, "/"));
        AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
        AUTO_FREE char *target = xasprintf("..data/%s", name);
        (void)symlink(target, path); /* it may be there */
    }
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        AUTO_FREE char *path = xasprintf("%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.' && access(path, F_OK) < 0)
            (void)unlink(path); /* a link of ours */
    }
    if (entries)
        closedir(entries);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    (void)remove(path); /* what is left goes with the volume */
    return 0;
}

/* Replaces ..data, and removes what it led to before. */
static int switch_data(const char *folder, const char *fresh, err_t *err)
{
    AUTO_FREE char *data = xasprintf("%s/..data", folder);
    AUTO_FREE char *next = xasprintf("%s/..data_tmp", folder);
    AUTO_FREE char *before = realpath(data, NULL);
    (void)unlink(next); /* of an attempt that failed */
    if (symlink(fresh, next) < 0 || rename(next, data) < 0)
        return err_set(err, ERR_IO, "cannot link '%s': %s", data, strerror(errno));
    if (before)
        (void)nftw(before, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static char *fresh_name(void)
{
    char stamp[32];
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(stamp, sizeof(stamp), "%Y_%m_%d_%H_%M_%S", &parts);
    return xasprintf("..%s.%09ld", stamp, now.tv_nsec);
}

int payload_write(const payload_t *self, const char *folder, gid_t gid, err_t *err)
{
    if (is_present(self, folder))
        return 0;
    AUTO_FREE char *name = fresh_name();
    AUTO_FREE char *fresh = xasprintf("%s/%s", folder, name);
    if (mkdir(fresh, 0755) < 0)
        return err_set(err, ERR_IO, "cannot make '%s': %s", fresh, strerror(errno));
    for (size_t i = 0; i < self->count; i++) {
        int rc = write_file(&self->files[i], fresh, gid, err);
        if (rc < 0)
            return rc;
    }
    int rc = switch_data(folder, name, err);
    if (rc == 0)
        link_names(self, folder);
    return rc;
}
