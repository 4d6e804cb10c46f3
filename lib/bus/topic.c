#include "bus/topic.h"

#include "base/auto.h"

#include <fnmatch.h>
#include <stddef.h>

/* A '*' stands for one part, without '/'. */
static const char *const states[] = {
    "env/*/state",
    "fault/*/state",
    "session/*/state",
};

bool topic_is_state(const char *topic)
{
    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        if (fnmatch(states[i], topic, FNM_PATHNAME) == 0)
            return true;
    }
    return false;
}
