/* turn - a session as its agent sees it: by a connection of its own, to the socket for agents, with
 * the rights that the key of any agent has.
 *
 * Built-in agents hold this and nothing else of the bus, so what they can do an agent in another
 * program, on another machine, in another language can do too. */
#ifndef CLI_TURN_H
#define CLI_TURN_H

#include "base/err.h"
#include "bus/keys.h"
#include "proto/messages.h"

struct lab;
typedef struct turn turn_t;

/* Whom a session must be opened for, that this key may act in it. */
void turn_principal(const keys_pair_t *pair, char principal[KEY_NAME_LIMIT + 1]);

/* The lab is borrowed, and must be up. name is that of the agent. */
turn_t *turn_new(
    struct lab *lab, const char *name, const char *session, const keys_pair_t *pair, err_t *err);
void turn_destroy(turn_t **self_p);

/* What the agent is told; *info_p is for codec_free(&session_info_type). */
int turn_brief(turn_t *self, session_info_t **info_p, err_t *err);

/* Takes the next step. *seen_p is for codec_free(&session_observation_type). */
int turn_act(turn_t *self, const char *action, session_observation_t **seen_p, err_t *err);

/* Submits nothing, which is judged. */
int turn_give_up(turn_t *self, err_t *err);

#endif
