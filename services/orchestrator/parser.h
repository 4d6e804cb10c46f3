/* parser - finds the action in what an agent said.
 *
 * The form is the original's: one call in one pair of three backticks,
 *     ```
 *     get_logs("test-hotel-reservation", "geo")
 *     ```
 * read with good will: a language after the backticks, indented or inline backticks, keyword
 * arguments, escaped quotes (or unescaped ones within the command of exec_shell), commands of
 * several lines, and a bare call without backticks are all understood. */
#ifndef ORCHESTRATOR_PARSER_H
#define ORCHESTRATOR_PARSER_H

#include <jansson.h>
#include <stddef.h>

typedef struct parsed {
    char *name;
    json_t *args;   /* list: the positional arguments */
    json_t *kwargs; /* dict: the keyword arguments */
    char *note;     /* what the agent should know beside the result; NULL: nothing */
} parsed_t;

/* Finds the one action; actions are the names that there are, which decide when several calls are
 * found. Returns 0 and a *parsed_p for parser_free(), or -1 and in *complaint_p a sentence for the
 * agent, for free(), that says what was wrong. A call of an unknown name is understood, too, if it
 * is the only one. */
int parser_parse(const char *text, const char *const *actions, size_t action_count,
    parsed_t *parsed_p, char **complaint_p);

void parser_free(parsed_t *self);

#endif
