#include "cli/lines.h"

#include "base/auto.h"
#include "base/mem.h"
#include "cli/lab.h"

#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 65536, LINE_LIMIT = 4 << 20 };

struct lines {
    lab_t *lab;
    char *text; /* what was read and is not yet a line */
    size_t size;
    bool can_wait; /* a file is always ready, and epoll takes none */
};

lines_t *lines_new(lab_t *lab)
{
    struct stat info;
    lines_t *self = xcalloc(1, sizeof(*self));
    self->lab = lab;
    self->can_wait = fstat(STDIN_FILENO, &info) == 0 && !S_ISREG(info.st_mode);
    return self;
}

void lines_destroy(lines_t **self_p)
{
    lines_t *self = TAKE(*self_p);
    if (!self)
        return;
    free(self->text);
    free(self);
}

static void on_input(void *arg, int fd, uint32_t events)
{
    (void)fd, (void)events;
    ev_stop(arg);
}

static bool await_input(const lines_t *self)
{
    if (!self->can_wait)
        return true;
    ev_fd(lab_ev(self->lab), STDIN_FILENO, EPOLLIN, on_input, lab_ev(self->lab));
    int rc = lab_run(self->lab, NULL);
    ev_fd_end(lab_ev(self->lab), STDIN_FILENO);
    return rc == 0;
}

static bool read_more(lines_t *self)
{
    if (self->size > LINE_LIMIT || !await_input(self))
        return false;
    self->text = mem_check(realloc(self->text, self->size + CHUNK));
    ssize_t count = read(STDIN_FILENO, self->text + self->size, CHUNK);
    self->size += count > 0 ? (size_t)count : 0;
    return count > 0;
}

char *lines_read(lines_t *self)
{
    char *end;
    while (!(end = self->size ? memchr(self->text, '\n', self->size) : NULL)) {
        if (!read_more(self))
            return NULL;
    }
    char *line = xstrndup(self->text, (size_t)(end - self->text));
    self->size -= (size_t)(end - self->text) + 1;
    memmove(self->text, end + 1, self->size);
    return line;
}
