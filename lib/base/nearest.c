/* The distance is that of Damerau and Levenshtein in its restricted form ("optimal string
 * alignment"): no letter is edited twice. Three rows of the table suffice. */
#include "base/nearest.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { WORD_MAX = 256 }; /* longer names are compared by their beginnings */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool is_same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t distance(const char *a, const char *b)
{
    size_t a_length = strnlen(a, WORD_MAX);
    size_t b_length = strnlen(b, WORD_MAX);
    size_t rows[3][WORD_MAX + 1];

    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t change = above[j - 1] + !is_same(a[i - 1], b[j - 1]);
            row[j] = smaller(change, 1 + smaller(above[j], row[j - 1]));
            if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) && is_same(a[i - 2], b[j - 1]))
                row[j] = smaller(row[j], rows[(i + 1) % 3][j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

/* How far a name is from the word, or SIZE_MAX when it is too far to be meant. */
static size_t rank(const char *word, const char *name)
{
    size_t length = strlen(word);
    size_t edits = distance(word, name);
    if (edits <= 1 + length / 3)
        return edits;
    return length >= 3 && strncasecmp(word, name, length) == 0 ? edits + length : SIZE_MAX;
}

size_t nearest_names(
    const char *word, const char *const *names, size_t count, const char *nearest_p[NEAREST_MAX])
{
    size_t ranks[NEAREST_MAX];
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        size_t mine = rank(word, names[i]);
        size_t place = found;
        while (place > 0 && mine < ranks[place - 1])
            place--;
        if (mine == SIZE_MAX || place == NEAREST_MAX)
            continue;
        if (found < NEAREST_MAX)
            found++;
        for (size_t j = found - 1; j > place; j--) {
            ranks[j] = ranks[j - 1];
            nearest_p[j] = nearest_p[j - 1];
        }
        ranks[place] = mine;
        nearest_p[place] = names[i];
    }
    return found;
}

char *nearest_hint(const char *word, const char *const *names, size_t count)
{
    const char *near[NEAREST_MAX];
    size_t found = nearest_names(word, names, count, near);
    switch (found) {
    case 0:
        return xstrdup("");
    case 1:
        return xasprintf("did you mean '%s'?", near[0]);
    case 2:
        return xasprintf("did you mean '%s' or '%s'?", near[0], near[1]);
    default:
        return xasprintf("did you mean '%s', '%s' or '%s'?", near[0], near[1], near[2]);
    }
}
