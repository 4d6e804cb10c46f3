/* mcp: whoever speaks the Model Context Protocol on standard input and output. */
#include "cli/mcp.h"
#include "base/auto.h"
#include "base/mem.h"
#include "cli/agents/agent.h"
#include "cli/lab.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE_MS = 2 * 60 * 60 * 1000, CHUNK = 65536, MESSAGE_LIMIT = 4 << 20 };

typedef struct input {
    lab_t *lab;
    char *text; /* what was read and is not yet a line */
    size_t size;
    bool can_wait; /* a file is always ready, and epoll takes none */
} input_t;

static void on_input(void *arg, int fd, uint32_t events)
{
    (void)fd, (void)events;
    ev_stop(arg);
}

static bool await_input(const input_t *self)
{
    if (!self->can_wait)
        return true;
    ev_fd(lab_ev(self->lab), STDIN_FILENO, EPOLLIN, on_input, lab_ev(self->lab));
    int rc = lab_run(self->lab, NULL);
    ev_fd_end(lab_ev(self->lab), STDIN_FILENO);
    return rc == 0;
}

/* Reads on; false at the end, after a signal, and for a line that nobody would send. */
static bool read_more(input_t *self)
{
    if (self->size > MESSAGE_LIMIT || !await_input(self))
        return false;
    self->text = mem_check(realloc(self->text, self->size + CHUNK));
    ssize_t count = read(STDIN_FILENO, self->text + self->size, CHUNK);
    self->size += count > 0 ? (size_t)count : 0;
    return count > 0;
}

/* The next line, without its end, for free(); NULL: there is none. */
static char *read_line(input_t *self)
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

static const char *act(void *arg, const char *action)
{
    return seat_act(arg, "%s", action);
}

static void answer(const mcp_t *mcp, const char *line)
{
    json_auto_t *message = mcp_answer(mcp, line, strlen(line));
    if (!message)
        return;
    json_dumpf(message, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
}

/* Goes on when the session is over: the client is to hear so, and ends when it likes. */
static void play(seat_t *seat)
{
    struct stat info;
    const session_info_t *briefing = seat->briefing;
    mcp_t mcp = {.description = briefing->description,
        .instructions = briefing->instructions,
        .docs = briefing->actions,
        .schemas = briefing->schemas,
        .act = act,
        .arg = seat};
    input_t input = {
        .lab = seat->lab, .can_wait = fstat(STDIN_FILENO, &info) == 0 && !S_ISREG(info.st_mode)};
    for (;;) {
        AUTO_FREE char *line = read_line(&input);
        if (!line)
            break;
        if (*line)
            answer(&mcp, line);
    }
    free(input.text);
}

const agent_t agent_mcp = {.name = "mcp",
    .summary = "who speaks the Model Context Protocol on standard input and output",
    .has_stdout = true,
    .patience_ms = PATIENCE_MS,
    .play = play};
