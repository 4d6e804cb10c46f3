/* texts - equal strings kept once: most spans say what thousands said before them. */
#ifndef JAEGER_TEXTS_H
#define JAEGER_TEXTS_H

#include <stddef.h>

typedef struct texts texts_t;

texts_t *texts_new(void);

/* All texts must have been given back. */
void texts_destroy(texts_t **self_p);

/* Returns the one copy of text, for texts_give_back(). */
const char *texts_take(texts_t *self, const char *text);
void texts_give_back(texts_t *self, const char *text);

/* Different texts. */
size_t texts_count(const texts_t *self);

#endif
