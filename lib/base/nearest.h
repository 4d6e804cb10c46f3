/* nearest - which known names somebody may have meant by a wrong one. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

enum { NEAREST_MAX = 3 };

/* Writes into nearest_p up to NEAREST_MAX of the names that differ least from word (letters
 * inserted, left out, changed, or swapped with their neighbour; a name that begins with word is
 * near, too), best first, and returns how many. Names that have little in common with word are not
 * offered. */
size_t nearest_names(
    const char *word, const char *const *names, size_t count, const char *nearest_p[NEAREST_MAX]);

/* "did you mean 'a', 'b' or 'c'?" in new memory, for free(); "" when nothing is near. */
char *nearest_hint(const char *word, const char *const *names, size_t count);

#endif
