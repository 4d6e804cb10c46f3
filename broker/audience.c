#include "broker/audience.h"

#include "base/mem.h"
#include "broker/roles.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* 0: there is none. */
static ino_t socket_of(int fd)
{
    struct stat status;
    return fd >= 0 && fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

static void hearing_remove(hearing_t *hearing)
{
    LIST_REMOVE(hearing, in_principal);
    free(hearing);
}

/* Connections end without a word to us; those of them that are gone make room. */
static size_t count_present(principal_t *agent)
{
    size_t count = 0;
    for (hearing_t *hearing = LIST_FIRST(&agent->hearings), *next = NULL; hearing; hearing = next) {
        next = LIST_NEXT(hearing, in_principal);
        if (socket_of(hearing->fd) == hearing->socket)
            count++;
        else
            hearing_remove(hearing);
    }
    return count;
}

bool audience_add(principal_t *agent, int fd, const char *prefix, size_t size)
{
    ino_t socket = socket_of(fd);
    if (!socket || count_present(agent) >= AUDIENCE_LIMIT)
        return false;
    hearing_t *hearing = xcalloc(1, sizeof(*hearing) + size + 1);
    hearing->fd = fd;
    hearing->socket = socket;
    hearing->size = size;
    memcpy(hearing->prefix, prefix, size);
    LIST_INSERT_HEAD(&agent->hearings, hearing, in_principal);
    return true;
}

void audience_remove(principal_t *agent, int fd, const char *prefix, size_t size)
{
    hearing_t *hearing;
    LIST_FOREACH(hearing, &agent->hearings, in_principal)
    {
        if (hearing->fd == fd && hearing->size == size
            && memcmp(hearing->prefix, prefix, size) == 0) {
            hearing_remove(hearing);
            return;
        }
    }
}

/* Between the look and the end libzmq's thread may close the connection and open another in its
 * place; that one would merely have to connect once more. */
size_t audience_judge(principal_t *agent)
{
    size_t ended = 0;
    for (hearing_t *hearing = LIST_FIRST(&agent->hearings), *next = NULL; hearing; hearing = next) {
        next = LIST_NEXT(hearing, in_principal);
        if (principal_may_hear(agent, hearing->prefix, hearing->size))
            continue;
        bool is_present = socket_of(hearing->fd) == hearing->socket;
        if (is_present && shutdown(hearing->fd, SHUT_RDWR) == 0)
            ended++;
        hearing_remove(hearing);
    }
    return ended;
}

void audience_forget(principal_t *agent)
{
    while (!LIST_EMPTY(&agent->hearings))
        hearing_remove(LIST_FIRST(&agent->hearings));
}
