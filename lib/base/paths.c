#include "base/paths.h"

#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int paths_make_private(const char *path, err_t *err)
{
    AUTO_FREE char *partial = xstrdup(path);
    for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(partial, 0700) < 0 && errno != EEXIST)
            return err_set(err, ERR_IO, "cannot make folder '%s': %s", partial, strerror(errno));
        *slash = '/';
    }
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_IO, "cannot make folder '%s': %s", path, strerror(errno));
    return 0;
}

/* A folder in /tmp may have been made by somebody else, to read what we put there. */
static int check_private(const char *path, err_t *err)
{
    struct stat status;
    if (lstat(path, &status) < 0)
        return err_set(err, ERR_IO, "cannot look at folder '%s': %s", path, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return err_set(err, ERR_IO, "'%s' is not a folder", path);
    if (status.st_uid != geteuid())
        return err_set(err, ERR_FORBIDDEN, "folder '%s' belongs to another user", path);
    if ((status.st_mode & 077) && chmod(path, 0700) < 0)
        return err_set(err, ERR_FORBIDDEN, "others may enter folder '%s'", path);
    return 0;
}

static char *private_folder(char *path, err_t *err)
{
    AUTO_FREE char *owned = path;
    if (paths_make_private(owned, err) < 0 || check_private(owned, err) < 0)
        return NULL;
    return TAKE(owned);
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

char *paths_run_dir(err_t *err)
{
    const char *own = environment("AIOPSLAB_RUN");
    const char *xdg = environment("XDG_RUNTIME_DIR");
    if (own)
        return private_folder(xstrdup(own), err);
    if (xdg)
        return private_folder(xasprintf("%s/aiopslab", xdg), err);
    return private_folder(xasprintf("/tmp/aiopslab-%u", geteuid()), err);
}

char *paths_state_dir(err_t *err)
{
    const char *own = environment("AIOPSLAB_STATE");
    const char *xdg = environment("XDG_STATE_HOME");
    const char *home = environment("HOME");
    if (own)
        return private_folder(xstrdup(own), err);
    if (xdg)
        return private_folder(xasprintf("%s/aiopslab", xdg), err);
    return private_folder(xasprintf("%s/.local/state/aiopslab", home ? home : "/tmp"), err);
}

char *paths_bin_dir(void)
{
    const char *own = environment("AIOPSLAB_BIN");
    if (own)
        return xstrdup(own);
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (length <= 0)
        return xstrdup(".");
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    return slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");
}

char *paths_data_dir(void)
{
    const char *own = environment("AIOPSLAB_DATA");
    const char *source = environment("AIOPSLAB_SRC");
    return xstrdup(own ? own : source ? source : AIO_SOURCE_DIR);
}
