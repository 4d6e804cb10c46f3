/* literal - reads values as agents write them: the constants of Python and JSON.
 *
 * Strings (every kind of quotes, also over several lines), numbers, True/true, False/false,
 * None/null, lists, tuples and sets (both become lists), dicts. A bare word, such as Yes, is taken
 * for a string: nothing else can be meant. */
#ifndef ORCHESTRATOR_LITERAL_H
#define ORCHESTRATOR_LITERAL_H

#include <jansson.h>
#include <stdbool.h>

typedef struct literal {
    const char *at; /* how far it has been read; at the mistake after a failure */
    /* How backslashes in strings are read. Not for Python but for a shell: only \\, \", \' and one
     * at the end of a line mean something; all others are left for the shell's programs, which
     * is what is meant by kubectl -o jsonpath='{"\n"}'. With a here-document (<<), \n is a line's
     * end, too. */
    bool is_shell;
    char complaint[160]; /* what was wrong */
} literal_t;

/* Skips blanks, line ends, and comments from # to the line's end. */
void literal_skip_blank(literal_t *self);

/* Reads one value. Returns a new reference, or NULL with a complaint. */
json_t *literal_read(literal_t *self);

/* Unescapes text as a shell literal. New memory, for free(). */
char *literal_unescape_shell(const char *text, size_t size);

#endif
