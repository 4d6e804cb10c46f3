/* err - why an operation failed: a code for programs, a sentence for people.
 *
 * A function that can fail returns 0 or a negative code. When a person will have to act on the
 * failure it also takes `err_t *err` as its last parameter; on success it leaves *err alone. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

typedef enum {
    ERR_NONE = 0,
    ERR_INVALID,     /* the caller's input is malformed */
    ERR_NOT_FOUND,   /* the thing named does not exist */
    ERR_EXISTS,      /* the thing named exists already */
    ERR_STATE,       /* not allowed in the present state */
    ERR_TIMEOUT,     /* the peer did not answer in time */
    ERR_IO,          /* the operating system or a library refused */
    ERR_LIMIT,       /* a quota or a size limit was reached */
    ERR_OVERLOADED,  /* the peer is too busy now; the same call may succeed later */
    ERR_FORBIDDEN,   /* the caller's role may not do this */
    ERR_UNAVAILABLE, /* nobody who could answer is connected, or it went away meanwhile */
} err_code_t;

typedef struct err {
    err_code_t code;
    char text[1024]; /* as long as a message of a Kubernetes event */
} err_t;

/* Fills *err (which may be NULL) and returns -code, for `return err_set(err, ERR_…, "…")`. */
int err_set(err_t *err, err_code_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prefixes "context: " to the text already in *err and returns -err->code; -ERR_IO for NULL. */
int err_wrap(err_t *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Tells compilers and the analyzer that neither ever returns success. */
static inline int err_is_negative(int rc)
{
    if (rc >= 0)
        __builtin_unreachable();
    return rc;
}
#define err_set(...)  err_is_negative((err_set)(__VA_ARGS__))
#define err_wrap(...) err_is_negative((err_wrap)(__VA_ARGS__))

/* The code behind the wire name of a failure; ERR_IO when there is no failure of that name. */
err_code_t err_code_parse(const char *name);

/* The code's name on the wire and in logs, such as "not-found". Never NULL. */
const char *err_code_name(err_code_t code);

#endif
