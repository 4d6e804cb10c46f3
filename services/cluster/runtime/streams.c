/* The pipes and terminals between a process and whoever holds its streams. */
#include "services/cluster/runtime/internal.h"
#include "services/cluster/runtime/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void close_streams(const streams_t *streams)
{
    close_if_open(streams->in);
    close_if_open(streams->out);
    close_if_open(streams->err);
}

static int make_pipe(int *read_p, int *write_p, int *ours_p)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -1;
    *read_p = fds[0];
    *write_p = fds[1];
    return fcntl(*ours_p, F_SETFL, O_NONBLOCK);
}

static int make_pipes(stream_ends_t *self, bool has_input, bool has_errors)
{
    if (make_pipe(&self->ours.out, &self->theirs.out, &self->ours.out) < 0)
        return -1;
    if (has_input && make_pipe(&self->theirs.in, &self->ours.in, &self->ours.in) < 0)
        return -1;
    if (has_errors && make_pipe(&self->ours.err, &self->theirs.err, &self->ours.err) < 0)
        return -1;
    return 0;
}

static int make_socket_pair(stream_ends_t *self)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return -1;
    self->terminal_to = fds[0];
    self->terminal_from = fds[1];
    return 0;
}

int stream_ends_init(
    stream_ends_t *self, bool has_input, bool has_errors, bool has_terminal, err_t *err)
{
    *self = (stream_ends_t){.ours = {-1, -1, -1}, .theirs = {-1, -1, -1}, .terminal_from = -1};
    int rc = has_terminal ? make_socket_pair(self) : make_pipes(self, has_input, has_errors);
    if (rc == 0) {
        if (!has_errors)
            self->theirs.err = self->theirs.out;
        return 0;
    }
    rc = err_set(err, ERR_IO, "streams: %s", strerror(errno));
    (void)stream_ends_done(self, NULL, NULL); /* that they failed is known */
    return rc;
}

static int take_terminal(stream_ends_t *self, err_t *err)
{
    self->ours.out = terminal_receive(self->terminal_from);
    self->ours.in = fcntl(self->ours.out, F_DUPFD_CLOEXEC, 3);
    return self->ours.in < 0 ? err_set(err, ERR_IO, "its terminal has not come") : 0;
}

int stream_ends_done(stream_ends_t *self, streams_t *streams_p, err_t *err)
{
    int rc = self->terminal_to && streams_p ? take_terminal(self, err) : 0;
    if (self->theirs.err == self->theirs.out)
        self->theirs.err = -1;
    close_streams(&self->theirs);
    if (self->terminal_to) {
        close(self->terminal_to);
        close(self->terminal_from);
    }
    if (streams_p && rc == 0)
        *streams_p = self->ours;
    else
        close_streams(&self->ours);
    return rc;
}
