/* difference - what distinguishes two states of an object, such that each part can be undone.
 *
 * A difference is an array of {path, before, after}; what was not there is left out. A path is an
 * array of steps: a member's name, or {"name": "geo"} for the element of a list that is known by
 * that member. Lists without such a member count as one value. */
#ifndef INJECTOR_DIFFERENCE_H
#define INJECTOR_DIFFERENCE_H

#include <jansson.h>
#include <stdbool.h>

/* A new reference. */
json_t *difference_between(const json_t *before, const json_t *after);

/* Whether now is as wanted, but for members that a server has filled in. */
bool difference_has(const json_t *now, const json_t *wanted);

/* Whether an object still has the value that this part gave it. */
bool difference_part_holds(const json_t *part, const json_t *object);

/* Gives the object this part's value; false if the place for it is gone. */
bool difference_part_do(const json_t *part, json_t *object);

/* Gives it the value from before. original is the whole object as it was: what is empty now, and
 * was not there then, goes. */
bool difference_part_undo(const json_t *part, json_t *object, const json_t *original);

#endif
