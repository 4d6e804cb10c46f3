/* topic - what the names of topics mean to the bus. */
#ifndef BUS_TOPIC_H
#define BUS_TOPIC_H

#include <stdbool.h>

/* Whether the topic's last event tells all there is to know, so that the broker keeps it for those
 * who subscribe later: env/ID/state, session/ID/state, fault/ID/state. */
bool topic_is_state(const char *topic);

/* Topics by which a subscriber learns that its subscriptions have arrived; nobody may publish to
 * them. */
#define TOPIC_SYNC "_sync/"

#endif
