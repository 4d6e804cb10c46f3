#include "cli/folder.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    (void)remove(path); /* the rest is removed all the same */
    return 0;
}

void folder_remove(const char *path)
{
    enum { OPEN_FOLDERS = 16 };
    (void)nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

char *folder_make_temporary(err_t *err)
{
    const char *base = getenv("XDG_RUNTIME_DIR");
    AUTO_FREE char *path = xasprintf("%s/aiopslab-run-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(path)) {
        err_set(err, ERR_IO, "cannot make folder '%s': %s", path, strerror(errno));
        return NULL;
    }
    return TAKE(path);
}

static int write_all(int fd, const char *text)
{
    for (size_t left = strlen(text); left;) {
        ssize_t count = write(fd, text, left);
        if (count < 0 && errno != EINTR)
            return -1;
        text += count > 0 ? count : 0;
        left -= count > 0 ? (size_t)count : 0;
    }
    return 0;
}

int folder_write(const char *path, const char *text, err_t *err)
{
    AUTO_FREE char *partial = xasprintf("%s.partial", path);
    int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int rc = fd < 0 ? -1 : write_all(fd, text);
    int cause = errno;
    if (fd >= 0 && close(fd) < 0 && rc == 0) {
        cause = errno;
        rc = -1;
    }
    if (rc == 0 && rename(partial, path) == 0)
        return 0;
    if (rc == 0)
        cause = errno;
    (void)unlink(partial); /* what is left of it is of no use, nor in the way */
    return err_set(err, ERR_IO, "cannot write '%s': %s", path, strerror(cause));
}

int folder_check_room(const char *folder, size_t size, err_t *err)
{
    AUTO_FREE char *path = xasprintf("%s/.room-%d", folder, (int)getpid());
    AUTO_FREE char *text = xcalloc(size + 1, 1);
    memset(text, '.', size);
    int rc = paths_make_private(folder, err);
    if (rc == 0)
        rc = folder_write(path, text, err);
    (void)unlink(path);
    return rc;
}

char *folder_read_tail(const char *path, size_t limit)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > (off_t)limit ? size - (off_t)limit : 0;
    char *text = xcalloc(limit + 1, 1);
    ssize_t got = pread(fd, text, limit, from);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return text;
}
