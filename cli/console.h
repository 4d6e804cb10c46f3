/* console - lines from a person, or from a pipe, read while the loop goes on.
 *
 * On a terminal with editing, completion by Tab, and a history that outlives the program. */
#ifndef CLI_CONSOLE_H
#define CLI_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

struct lab;
typedef struct console console_t;

/* Completes the last word of a line from these. */
typedef struct console_words {
    const char *const *words;
    size_t count;
} console_words_t;

/* lab is borrowed. The prompt and both lists stay the caller's: first words of a line, and what
 * may follow. */
console_t *console_new(
    struct lab *lab, const char *prompt, console_words_t first, console_words_t following);
void console_destroy(console_t **self_p);

/* The next line without its end and blanks around it, for free(); NULL at the end of the input, or
 * when the program is to end. At a terminal Ctrl-C throws the line away, and "" is returned. */
char *console_read(console_t *self);

/* Whether there is a person at a terminal. */
bool console_is_terminal(const console_t *self);

/* Whether that person asked with Ctrl-C to wait no longer. It is forgotten by asking. */
bool console_take_interrupt(console_t *self);

#endif
