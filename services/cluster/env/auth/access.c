/* The sentence of a refusal, as the API server's generic library words it. */
#include "services/cluster/env/auth/access.h"

#include "base/auto.h"
#include "base/mem.h"

/* What clients might show in a page: & < > are written as in HTML. */
static char *sanitized(const char *text)
{
    char *out = NULL;
    size_t size = 0;
    FILE *file = mem_check(open_memstream(&out, &size));
    for (; *text; text++) {
        if (*text == '&')
            fputs("&amp;", file);
        else if (*text == '<')
            fputs("&lt;", file);
        else if (*text == '>')
            fputs("&gt;", file);
        else
            fputc(*text, file);
    }
    fclose(file);
    return out;
}

static char *where(const access_t *self)
{
    return *self->namespace ? xasprintf("in the namespace \"%s\"", self->namespace)
                            : xstrdup("at the cluster scope");
}

char *access_refusal(const access_t *self, const user_t *user)
{
    AUTO_FREE char *place = self->path ? NULL : where(self);
    AUTO_FREE char *text =
        self->path
            ? xasprintf("User \"%s\" cannot %s path \"%s\"", user->name, self->verb, self->path)
            : xasprintf("User \"%s\" cannot %s resource \"%s%s%s\" in API group \"%s\" %s",
                user->name, self->verb, self->resource, *self->subresource ? "/" : "",
                self->subresource, self->group, place);
    return sanitized(text);
}
