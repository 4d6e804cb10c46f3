/* lines - standard input, line by line, while the loop runs. */
#ifndef CLI_LINES_H
#define CLI_LINES_H

struct lab;
typedef struct lines lines_t;

/* The lab is borrowed. */
lines_t *lines_new(struct lab *lab);
void lines_destroy(lines_t **self_p);

/* The next line, without its end, for free(); NULL at the end of input, after a signal, and for a
 * line of more than 4 MiB. */
char *lines_read(lines_t *self);

#endif
