#include "bus/keys.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

static const char *const roles[] = {"service", "operator", "agent"};

/* ---- files --------------------------------------------------------------------------------- */

/* Written aside, then linked into place, so that nobody reads half a key, and of two brokers that
 * start at once one loses and takes the other's. */
static int write_key(const char *path, const char *text, bool is_lasting, err_t *err)
{
    AUTO_FREE char *draft = xasprintf("%s.%d", path, (int)getpid());
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set(err, ERR_IO, "cannot write key '%s': %s", path, strerror(errno));
    bool is_written = dprintf(fd, "%s\n", text) == KEY_TEXT_SIZE && (!is_lasting || fsync(fd) == 0);
    bool is_closed = close(fd) == 0;
    bool is_linked = is_written && is_closed && (link(draft, path) == 0 || errno == EEXIST);
    int cause = errno;
    unlink(draft);
    if (!is_linked)
        return err_set(err, ERR_IO, "cannot write key '%s': %s", path, strerror(cause));
    return 0;
}

static int read_key(const char *path, bool is_secret, char text[KEY_TEXT_SIZE], err_t *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot read key '%s': %s",
            path, strerror(errno));
    struct stat status;
    char line[KEY_TEXT_SIZE + 1] = "";
    ssize_t size = read(fd, line, sizeof(line));
    bool is_exposed = is_secret && (fstat(fd, &status) < 0 || (status.st_mode & 077));
    close(fd);
    if (is_exposed)
        return err_set(err, ERR_FORBIDDEN, "others may read key '%s': chmod 600", path);
    uint8_t raw[KEY_SIZE];
    line[KEY_TEXT_SIZE - 1] = '\0';
    if (size < KEY_TEXT_SIZE - 1 || !zmq_z85_decode(raw, line))
        return err_set(err, ERR_INVALID, "'%s' is not a key of 40 characters", path);
    memcpy(text, line, KEY_TEXT_SIZE);
    return 0;
}

static char *key_path(const char *folder, const char *name, const char *kind)
{
    return xasprintf("%s/%s.%s", folder, name, kind);
}

/* ---- pairs --------------------------------------------------------------------------------- */

int keys_load_public(const char *folder, const char *name, char text[KEY_TEXT_SIZE], err_t *err)
{
    AUTO_FREE char *path = key_path(folder, name, "public");
    return read_key(path, false, text, err);
}

int keys_load(const char *folder, const char *name, keys_pair_t *pair, err_t *err)
{
    AUTO_FREE char *path = key_path(folder, name, "secret");
    int rc = read_key(path, true, pair->secret_text, err);
    return rc < 0 ? rc : keys_load_public(folder, name, pair->public_text, err);
}

int keys_make(keys_pair_t *pair, err_t *err)
{
    if (zmq_curve_keypair(pair->public_text, pair->secret_text) < 0)
        return err_set(err, ERR_IO, "this libzmq was built without CURVE");
    return 0;
}

/* The public half always follows from the secret one. */
static int ensure_pair(
    const char *folder, const char *name, bool is_lasting, keys_pair_t *pair, err_t *err)
{
    AUTO_FREE char *secret_path = key_path(folder, name, "secret");
    AUTO_FREE char *public_path = key_path(folder, name, "public");
    if (access(secret_path, F_OK) < 0) {
        int rc = keys_make(pair, err);
        if (rc == 0)
            rc = write_key(secret_path, pair->secret_text, is_lasting, err);
        if (rc < 0)
            return rc;
    }
    int rc = read_key(secret_path, true, pair->secret_text, err);
    if (rc < 0)
        return rc;
    zmq_curve_public(pair->public_text, pair->secret_text);
    return write_key(public_path, pair->public_text, is_lasting, err);
}

static int ensure_role(const char *folder, const char *role, err_t *err)
{
    AUTO_FREE char *authorized = xasprintf("%s/authorized/%s", folder, role);
    AUTO_FREE char *path = xasprintf("%s/%s.public", authorized, role);
    AUTO_FREE char *secret_path = key_path(folder, role, "secret");
    bool is_new = access(secret_path, F_OK) < 0;
    keys_pair_t pair;
    int rc = ensure_pair(folder, role, true, &pair, err);
    if (rc == 0)
        rc = paths_make_private(authorized, err);
    /* One that was taken out of the authorized stays out. */
    return rc == 0 && is_new ? write_key(path, pair.public_text, true, err) : rc;
}

int keys_ensure(const char *folder, err_t *err)
{
    keys_pair_t pair;
    int rc = paths_make_private(folder, err);
    if (rc == 0)
        rc = ensure_pair(folder, "broker", true, &pair, err);
    for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(roles); i++)
        rc = ensure_role(folder, roles[i], err);
    return rc;
}

/* One that was cut off is of no use to anybody, so it may go. */
int keys_ensure_local(const char *folder, keys_pair_t *pair, err_t *err)
{
    if (ensure_pair(folder, "broker", false, pair, err) == 0)
        return 0;
    AUTO_FREE char *secret_path = key_path(folder, "broker", "secret");
    AUTO_FREE char *public_path = key_path(folder, "broker", "public");
    unlink(secret_path);
    unlink(public_path);
    return ensure_pair(folder, "broker", false, pair, err);
}

/* ---- the authorized ------------------------------------------------------------------------ */

/* "NAME.public" -> NAME. Names come into routes and logs, so they are plain. */
static bool parse_name(const char *file, char name[KEY_NAME_LIMIT + 1])
{
    size_t length =
        strspn(file, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
    if (!length || length > KEY_NAME_LIMIT || strcmp(file + length, ".public") != 0)
        return false;
    memcpy(name, file, length);
    name[length] = '\0';
    return true;
}

static bool is_authorized_as(
    const char *folder, const char *role, const char *key_text, char name[KEY_NAME_LIMIT + 1])
{
    AUTO_FREE char *path = xasprintf("%s/authorized/%s", folder, role);
    DIR *entries = opendir(path);
    bool is_found = false;
    for (struct dirent *entry; !is_found && entries && (entry = readdir(entries));) {
        AUTO_FREE char *file = xasprintf("%s/%s", path, entry->d_name);
        char text[KEY_TEXT_SIZE];
        is_found = parse_name(entry->d_name, name) && read_key(file, false, text, NULL) == 0
                   && strcmp(text, key_text) == 0;
    }
    if (entries)
        closedir(entries);
    return is_found;
}

const char *keys_authorized(
    const char *folder, const uint8_t key[KEY_SIZE], char name[KEY_NAME_LIMIT + 1])
{
    char text[KEY_TEXT_SIZE];
    zmq_z85_encode(text, key, KEY_SIZE);
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
        if (is_authorized_as(folder, roles[i], text, name))
            return roles[i];
    }
    return NULL;
}

/* ---- local agents -------------------------------------------------------------------------- */

void keys_local_name(const uint8_t key[KEY_SIZE], char name[KEY_NAME_LIMIT + 1])
{
    char *at = stpcpy(name, KEY_LOCAL_PREFIX);
    for (size_t i = 0; i < KEY_SIZE / 2; i++)
        at += sprintf(at, "%02x", key[i]);
}
