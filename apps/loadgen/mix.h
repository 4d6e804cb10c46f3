/* mix - which requests a load is made of, and in which shares. */
#ifndef LOADGEN_MIX_H
#define LOADGEN_MIX_H

#include "apps/loadgen/random.h"
#include "base/err.h"

#include <stddef.h>

enum { MIX_PATH_SIZE = 512 };

typedef struct mix_request {
    const char *method;       /* a literal */
    char path[MIX_PATH_SIZE]; /* with query */
} mix_request_t;

typedef struct mix mix_t;

/* NULL, and the names there are in *err, if there is none of this name. Static. */
const mix_t *mix_find(const char *name, err_t *err);

/* Draws the next request. */
void mix_draw(const mix_t *self, random_t *random, mix_request_t *request_p);

#endif
