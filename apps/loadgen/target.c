#include "apps/loadgen/target.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { LOOKUP_COUNT = 40, LOOKUP_PAUSE_MS = 250 };

/* The part between http:// and the path. */
static int read_host(const char *url, char host_p[256], err_t *err)
{
    const char *scheme = "http://";
    if (strncmp(url, scheme, strlen(scheme)) != 0)
        return err_set(err, ERR_INVALID, "url '%s' does not begin with http://", url);
    const char *host = url + strlen(scheme);
    size_t length = strcspn(host, "/?#");
    if (length == 0 || length >= 256 || strcspn(host, " @[]") < length)
        return err_set(err, ERR_INVALID, "url '%s' has no usable host", url);
    snprintf(host_p, 256, "%.*s", (int)length, host);
    return 0;
}

static int look_up(target_t *self)
{
    char name[256];
    const char *colon = strchr(self->host, ':');
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(self->host, ":"), self->host);
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(name, colon ? colon + 1 : "80", &hints, &list);
    if (rc == 0) {
        memcpy(&self->address, list->ai_addr, sizeof(self->address));
        freeaddrinfo(list);
    }
    return rc;
}

int target_find(target_t *self, const char *url, int stop_fd, err_t *err)
{
    int rc = read_host(url, self->host, err);
    if (rc < 0)
        return rc;
    int lookup = look_up(self);
    for (int i = 1; lookup != 0 && i < LOOKUP_COUNT; i++) {
        struct pollfd stop = {.fd = stop_fd, .events = POLLIN};
        if (poll(&stop, 1, LOOKUP_PAUSE_MS) > 0)
            return err_set(err, ERR_STATE, "asked to end before '%s' was found", self->host);
        lookup = look_up(self);
    }
    if (lookup != 0)
        return err_set(
            err, ERR_UNAVAILABLE, "lookup of '%s' failed: %s", self->host, gai_strerror(lookup));
    return 0;
}
