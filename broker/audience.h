/* audience - on which connections agents hear what, so that they stop hearing what they may no
 * longer.
 *
 * An XPUB socket can take a subscription from the connection it last read from, and from no other;
 * so a connection that hears too much is ended. Its owner's socket connects again by itself, and
 * each of its subscriptions is judged anew. */
#ifndef BROKER_AUDIENCE_H
#define BROKER_AUDIENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

struct principal;

enum { AUDIENCE_LIMIT = 256 }; /* subscriptions of one agent */

typedef struct hearing {
    int fd;       /* of the connection: libzmq's */
    ino_t socket; /* tells whether it still is that connection's */
    LIST_ENTRY(hearing) in_principal;
    size_t size;
    char prefix[];
} hearing_t;

/* Notes that the agent hears what begins with prefix by the connection fd. False if that is not to
 * be: it has too many, or the connection is gone. */
bool audience_add(struct principal *agent, int fd, const char *prefix, size_t size);

/* It does not any more, of its own will. */
void audience_remove(struct principal *agent, int fd, const char *prefix, size_t size);

/* Ends the connections by which the agent hears what it may not; returns their number. */
size_t audience_judge(struct principal *agent);

void audience_forget(struct principal *agent);

#endif
