#include "cli/folder.h"

#include "base/auto.h"
#include "base/mem.h"

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

int folder_write(const char *path, const char *text, err_t *err)
{
    AUTO_FREE char *partial = xasprintf("%s.partial", path);
    size_t size = strlen(text);
    int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool is_written = fd >= 0 && write(fd, text, size) == (ssize_t)size;
    if (fd >= 0)
        close(fd);
    if (is_written && rename(partial, path) == 0)
        return 0;
    return err_set(err, ERR_IO, "cannot write '%s': %s", path, strerror(errno));
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
