#include "services/cluster/env/kubelet/volume_token.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/auth/tokens.h"
#include "services/cluster/env/object.h"

#include <fcntl.h>
#include <unistd.h>

enum {
    TOKEN_LIMIT = 8192,
    DEFAULT_SECONDS = 3600,
    ADMITTED_SECONDS = 3607, /* what every pod asks for, and a real server makes a year of */
    YEAR_SECONDS = 365 * 24 * 3600,
};

static int64_t seconds_of(const json_t *source)
{
    int64_t seconds = object_integer(source, "expirationSeconds", DEFAULT_SECONDS);
    return seconds == ADMITTED_SECONDS ? YEAR_SECONDS : seconds;
}

static json_t *audiences_of(const json_t *source)
{
    const char *audience = object_string(source, "audience");
    return *audience ? json_pack("[s]", audience) : NULL;
}

/* What is in the folder, or NULL. */
static char *read_present(const char *folder, const char *name)
{
    char text[TOKEN_LIMIT];
    if (strstr(name, "..")) /* the API server has refused it already */
        return NULL;
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text));
    if (fd >= 0)
        close(fd);
    return size > 0 ? xstrndup(text, (size_t)size) : NULL;
}

/* The kubelet takes another one when a fifth of the time is left. */
static bool is_good(
    const volumes_subject_t *subject, const char *token, const json_t *audiences, int64_t seconds)
{
    user_t user;
    if (!token
        || !tokens_check(
            subject->tokens, token, audiences, time(NULL) + (time_t)(seconds / 5), &user))
        return false;
    user_done(&user);
    return true;
}

char *volume_token(
    const volumes_subject_t *subject, const json_t *source, const char *folder, err_t *err)
{
    const json_t *pod = subject->pod.pod;
    const char *account = object_string(pod, "spec.serviceAccountName");
    json_auto_t *audiences = audiences_of(source);
    AUTO_FREE char *present = read_present(folder, object_string(source, "path"));
    if (is_good(subject, present, audiences, seconds_of(source)))
        return TAKE(present);
    const token_wish_t wish = {.account = store_get(subject->pod.store, kind_find("ServiceAccount"),
                                   object_namespace(pod), account),
        .bound = pod,
        .audiences = audiences,
        .seconds = seconds_of(source)};
    if (wish.account)
        return tokens_issue(subject->tokens, &wish, NULL);
    err_set(err, ERR_NOT_FOUND, "failed to fetch token: serviceaccounts \"%s\" not found", account);
    return NULL;
}
