#include "cli/progress.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { TICK_MS = 100, NAME_WIDTH = 13, ACTION_WIDTH_MIN = 20, MARGIN = 24, WIDTH = 100 };

#define DIM    "\033[2m"
#define GREEN  "\033[32m"
#define RED    "\033[31m"
#define BOLD   "\033[1m"
#define PLAIN  "\033[0m"
#define ERASED "\r\033[K"

struct progress {
    ev_t *ev;  /* borrowed */
    FILE *out; /* borrowed; NULL: nothing is said */
    bool is_live;
    char *phase; /* NULL: none */
    char *note;
    int64_t phase_began;
    int64_t step; /* 0: none */
    char *action;
    int64_t step_began;
    int timer;
};

static const char *style(const progress_t *self, const char *code)
{
    return self->is_live ? code : "";
}

static size_t width(const progress_t *self)
{
    struct winsize size;
    bool is_known = ioctl(fileno(self->out), TIOCGWINSZ, &size) == 0 && size.ws_col;
    return is_known ? size.ws_col : WIDTH;
}

/* ---- lines --------------------------------------------------------------------------------- */

static double seconds_since(const progress_t *self, int64_t began)
{
    return (double)(ev_now(self->ev) - began) / 1000;
}

static void print_phase(const progress_t *self)
{
    fprintf(self->out, "  %-*s%s%6.1f s%s", NAME_WIDTH, self->phase, style(self, DIM),
        seconds_since(self, self->phase_began), style(self, PLAIN));
    if (self->note)
        fprintf(self->out, "   %s", self->note);
}

/* As much of the action as there is room for; the first line of several. */
static void print_step(const progress_t *self)
{
    size_t columns = width(self);
    size_t room = columns > MARGIN + ACTION_WIDTH_MIN ? columns - MARGIN : ACTION_WIDTH_MIN;
    size_t length = strcspn(self->action, "\n");
    bool is_cut = self->action[length] || length > room;
    if (length > room)
        length = room;
    while (length && ((unsigned char)self->action[length] & 0xC0) == 0x80)
        length--; /* not within a character */
    fprintf(self->out, "  %*lld%s%6.1f s%s   %.*s%s", NAME_WIDTH, (long long)self->step,
        style(self, DIM), seconds_since(self, self->step_began), style(self, PLAIN), (int)length,
        self->action, is_cut ? "…" : "");
}

static void redraw(progress_t *self)
{
    fputs(ERASED, self->out);
    if (self->step)
        print_step(self);
    else if (self->phase)
        print_phase(self);
    fflush(self->out);
}

static void on_tick(void *arg)
{
    progress_t *self = arg;
    redraw(self);
    self->timer = ev_after(self->ev, TICK_MS, on_tick, self);
}

/* Shows the present line from now on, and keeps it up to date. */
static void show(progress_t *self)
{
    if (!self->is_live)
        return;
    redraw(self);
    if (!self->timer)
        self->timer = ev_after(self->ev, TICK_MS, on_tick, self);
}

/* Makes room for a whole line. */
static void hide(progress_t *self)
{
    ev_cancel(self->ev, self->timer);
    self->timer = 0;
    if (self->is_live)
        fputs(ERASED, self->out);
}

/* ---- phases and steps ---------------------------------------------------------------------- */

void progress_end(progress_t *self)
{
    if (!self->out || !self->phase)
        return;
    progress_step_end(self);
    hide(self);
    print_phase(self);
    fputc('\n', self->out);
    fflush(self->out);
    free(TAKE(self->phase));
    free(TAKE(self->note));
}

void progress_begin(progress_t *self, const char *what)
{
    if (!self->out)
        return;
    progress_end(self);
    self->phase = xstrdup(what);
    self->phase_began = ev_now(self->ev);
    show(self);
}

void progress_note(progress_t *self, const char *format, ...)
{
    va_list args;
    free(TAKE(self->note));
    va_start(args, format);
    if (vasprintf(&self->note, format, args) < 0)
        mem_check(NULL);
    va_end(args);
}

void progress_step(progress_t *self, int64_t number, const char *action)
{
    if (!self->out)
        return;
    progress_step_end(self);
    self->step = number;
    self->action = xstrdup(action);
    self->step_began = ev_now(self->ev);
    show(self);
}

void progress_step_end(progress_t *self)
{
    if (!self->out || !self->step)
        return;
    hide(self);
    print_step(self);
    fputc('\n', self->out);
    free(TAKE(self->action));
    self->step = 0;
    show(self);
}

/* ---- other lines --------------------------------------------------------------------------- */

void progress_title(progress_t *self, const char *format, ...)
{
    va_list args;
    if (!self->out)
        return;
    progress_end(self);
    va_start(args, format);
    fputs(style(self, BOLD), self->out);
    vfprintf(self->out, format, args);
    fprintf(self->out, "%s\n", style(self, PLAIN));
    va_end(args);
    fflush(self->out);
}

void progress_verdict(progress_t *self, bool is_good, const char *format, ...)
{
    va_list args;
    if (!self->out)
        return;
    progress_end(self);
    va_start(args, format);
    fputs(style(self, is_good ? GREEN : RED), self->out);
    vfprintf(self->out, format, args);
    fprintf(self->out, "%s\n", style(self, PLAIN));
    va_end(args);
    fflush(self->out);
}

void progress_say(progress_t *self, const char *format, ...)
{
    va_list args;
    if (!self->out)
        return;
    progress_end(self);
    va_start(args, format);
    vfprintf(self->out, format, args);
    fputc('\n', self->out);
    va_end(args);
    fflush(self->out);
}

/* ---- life cycle ---------------------------------------------------------------------------- */

progress_t *progress_new(ev_t *ev, FILE *out)
{
    progress_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->out = out;
    self->is_live = out && isatty(fileno(out)) && !getenv("NO_COLOR");
    return self;
}

void progress_destroy(progress_t **self_p)
{
    progress_t *self = TAKE(*self_p);
    if (!self)
        return;
    progress_end(self);
    ev_cancel(self->ev, self->timer);
    free(self->phase);
    free(self->note);
    free(self->action);
    free(self);
}
