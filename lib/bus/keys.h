/* keys - the folder of CURVE keys, and who they belong to.
 *
 *     broker.secret  broker.public            the broker's own pair
 *     service.secret service.public           pairs for programs of this machine, by role
 *     operator.secret operator.public
 *     agent.secret agent.public
 *     authorized/ROLE/NAME.public             whom the broker lets in, as what
 *
 * A file holds one key of 40 characters (Z85) and a line end. To let another agent in, put its
 * public key into authorized/agent/NAME.public; to shut it out, remove the file. NAME is what the
 * bus calls it: its principal.
 *
 * An agent that comes by the local socket needs no folder: whatever key it has, it is an agent, and
 * its principal follows from the key. */
#ifndef BUS_KEYS_H
#define BUS_KEYS_H

#include "base/err.h"

#include <stdint.h>

enum { KEY_TEXT_SIZE = 41, KEY_SIZE = 32, KEY_NAME_LIMIT = 64 };

typedef struct keys_pair {
    char public_text[KEY_TEXT_SIZE];
    char secret_text[KEY_TEXT_SIZE];
} keys_pair_t;

/* Makes the folder (0700) and whatever of the above is not there; files with mode 0600. */
int keys_ensure(const char *folder, err_t *err);

/* Makes the broker's pair alone in a folder that is there, for the local socket. Not kept from
 * being lost with the machine's power: then another is made. */
int keys_ensure_local(const char *folder, keys_pair_t *pair, err_t *err);

/* A new pair, which is in no folder. */
int keys_make(keys_pair_t *pair, err_t *err);

/* The principal of an agent with this key at the local socket: "local." and half the key in hex. No
 * key in a folder can be called so, since names there have no '.'. */
#define KEY_LOCAL_PREFIX "local."
void keys_local_name(const uint8_t key[KEY_SIZE], char name[KEY_NAME_LIMIT + 1]);

/* Reads NAME.secret and NAME.public. Refuses a secret that others may read. */
int keys_load(const char *folder, const char *name, keys_pair_t *pair, err_t *err);

/* Reads NAME.public. */
int keys_load_public(const char *folder, const char *name, char text[KEY_TEXT_SIZE], err_t *err);

/* Looks for a public key among the authorized. Returns its role ("service", "operator", "agent")
 * and fills name, or NULL. Reads the folder anew each time, so that changes hold at once. */
const char *keys_authorized(
    const char *folder, const uint8_t key[KEY_SIZE], char name[KEY_NAME_LIMIT + 1]);

#endif
