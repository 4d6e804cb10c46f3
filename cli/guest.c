/* The command's streams come here as descriptors, so the environment carries none of its bytes.
 * They are waited for with poll(): standard input may be a file, which epoll refuses. */
#include "cli/guest.h"

#include "base/auto.h"
#include "base/local_socket.h"
#include "base/mem.h"
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

enum { LINE_SIZE = 1024, CHUNK_SIZE = 16384 };
enum { CONTROL, SIGNALS, INPUT, TO_GUEST, OUTPUT, ERRORS, PLACES };

typedef struct guest {
    int socket;
    int signals;
    int streams[LOCAL_SOCKET_FDS]; /* its input, output and errors; -1: closed */
    char line[LINE_SIZE];          /* what the environment says, as far as it has come */
    size_t line_size;
    char input[CHUNK_SIZE]; /* read, and not yet taken by the command */
    size_t input_at, input_size;
    bool has_input; /* until the end of ours */
    bool has_terminal;
    bool is_over;
    struct termios before; /* of the terminal */
    int status;
    bool has_status;
} guest_t;

static void close_stream(guest_t *self, int index)
{
    if (self->streams[index] >= 0)
        close(self->streams[index]);
    self->streams[index] = -1;
}

/* ---- terminal -------------------------------------------------------------------------------- */

static void enter_raw(guest_t *self)
{
    if (!self->has_terminal || tcgetattr(STDIN_FILENO, &self->before) < 0)
        return;
    struct termios raw = self->before;
    cfmakeraw(&raw);
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw); /* then it looks odd, and works */
}

static void leave_raw(const guest_t *self)
{
    if (self->has_terminal)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &self->before); /* the terminal may be gone */
}

static void pass_size(const guest_t *self)
{
    struct winsize size;
    if (self->has_terminal && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        (void)ioctl(self->streams[1], TIOCSWINSZ, &size); /* it may just have ended */
}

/* ---- asking ---------------------------------------------------------------------------------- */

static json_t *request_of(const guest_t *self, char *const *argv)
{
    json_t *request = json_object();
    json_t *words = json_array();
    struct winsize size = {0};
    const char *type = getenv("TERM");
    for (; *argv; argv++)
        json_array_append_new(words, json_string(*argv));
    json_object_set_new(request, "argv", words);
    (void)ioctl(STDIN_FILENO, TIOCGWINSZ, &size); /* not known then */
    if (self->has_terminal)
        json_object_set_new(request, "terminal",
            json_pack("{s:s, s:i, s:i}", "type", type ? type : "dumb", "columns", size.ws_col,
                "rows", size.ws_row));
    return request;
}

static int ask(guest_t *self, char *const *argv, err_t *err)
{
    json_auto_t *request = request_of(self, argv);
    AUTO_FREE char *text = json_dumps(request, JSON_COMPACT);
    if (!text)
        return err_set(err, ERR_INVALID, "the command's words must be UTF-8");
    AUTO_FREE char *line = xasprintf("%s\n", text);
    size_t size = strlen(line);
    for (size_t at = 0; at < size;) {
        ssize_t written = write(self->socket, line + at, size - at);
        if (written < 0)
            return err_set(err, ERR_IO, "cannot ask the environment: %s", strerror(errno));
        at += (size_t)written;
    }
    return 0;
}

static int obey(guest_t *self, const char *line, size_t size, err_t *err)
{
    json_auto_t *message = json_loadb(line, size, 0, NULL);
    const char *error = json_string_value(json_object_get(message, "error"));
    const json_t *exit = json_object_get(message, "exit");
    if (error)
        return err_set(err, ERR_INVALID, "%s", error);
    if (exit) {
        self->status = (int)json_integer_value(exit);
        self->has_status = true;
    }
    return 0;
}

/* Lines, and with the first one the streams. */
static int hear(guest_t *self, err_t *err)
{
    int fds[LOCAL_SOCKET_FDS];
    size_t count = 0;
    ssize_t size = local_socket_receive(self->socket, self->line + self->line_size,
        sizeof(self->line) - self->line_size, fds, &count);
    for (size_t i = 0; i < count; i++)
        self->streams[i] = fds[i];
    if (size <= 0)
        return err_set(err, ERR_UNAVAILABLE, "the environment is gone");
    self->line_size += (size_t)size;
    for (char *end; (end = memchr(self->line, '\n', self->line_size));) {
        size_t length = (size_t)(end - self->line) + 1;
        int rc = obey(self, self->line, length, err);
        if (rc < 0)
            return rc;
        self->line_size -= length;
        memmove(self->line, end + 1, self->line_size);
    }
    return 0;
}

/* ---- carrying -------------------------------------------------------------------------------- */

static void read_input(guest_t *self)
{
    ssize_t size = read(STDIN_FILENO, self->input, sizeof(self->input));
    self->input_at = 0;
    self->input_size = size > 0 ? (size_t)size : 0;
    if (size > 0)
        return;
    self->has_input = false;
    close_stream(self, 0);
    self->is_over = self->has_terminal; /* it was hung up */
}

static void write_input(guest_t *self)
{
    ssize_t size =
        write(self->streams[0], self->input + self->input_at, self->input_size - self->input_at);
    if (size < 0 && errno == EAGAIN)
        return;
    self->input_at += size > 0 ? (size_t)size : 0;
    if (size < 0) { /* it reads no more */
        self->input_at = self->input_size;
        self->has_input = false;
        close_stream(self, 0);
    }
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno != EINTR)
            return false;
        bytes += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

/* A terminal whose other side is closed fails with EIO. */
static void pass_output(guest_t *self, int index, int fd)
{
    char bytes[CHUNK_SIZE];
    ssize_t size = read(self->streams[index], bytes, sizeof(bytes));
    if (size < 0 && errno == EAGAIN)
        return;
    if (size <= 0)
        close_stream(self, index);
    else if (!write_all(fd, bytes, (size_t)size))
        self->is_over = true; /* nobody reads us */
}

static void take_signal(guest_t *self)
{
    struct signalfd_siginfo info;
    if (read(self->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    if (info.ssi_signo == SIGWINCH) {
        pass_size(self);
        return;
    }
    self->status = EXIT_INTERRUPTED;
    self->is_over = true;
}

/* A negative descriptor is not waited for. */
static void list_places(const guest_t *self, struct pollfd *places)
{
    bool is_full = self->input_at < self->input_size;
    bool may_read = self->has_input && !is_full && self->streams[0] >= 0;
    places[CONTROL] = (struct pollfd){self->has_status ? -1 : self->socket, POLLIN, 0};
    places[SIGNALS] = (struct pollfd){self->signals, POLLIN, 0};
    places[INPUT] = (struct pollfd){may_read ? STDIN_FILENO : -1, POLLIN, 0};
    places[TO_GUEST] = (struct pollfd){is_full ? self->streams[0] : -1, POLLOUT, 0};
    places[OUTPUT] = (struct pollfd){self->streams[1], POLLIN, 0};
    places[ERRORS] = (struct pollfd){self->streams[2], POLLIN, 0};
}

static int turn(guest_t *self, err_t *err)
{
    struct pollfd places[PLACES];
    list_places(self, places);
    if (poll(places, PLACES, -1) < 0)
        return errno == EINTR ? 0 : err_set(err, ERR_IO, "poll: %s", strerror(errno));
    if (places[OUTPUT].revents)
        pass_output(self, 1, STDOUT_FILENO);
    if (places[ERRORS].revents)
        pass_output(self, 2, STDERR_FILENO);
    if (places[TO_GUEST].revents)
        write_input(self);
    if (places[INPUT].revents)
        read_input(self);
    if (places[SIGNALS].revents)
        take_signal(self);
    return places[CONTROL].revents ? hear(self, err) : 0;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int watch_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGWINCH);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

static bool is_done(const guest_t *self)
{
    return self->is_over || (self->has_status && self->streams[1] < 0 && self->streams[2] < 0);
}

static int carry(guest_t *self, char *const *argv, err_t *err)
{
    int rc = ask(self, argv, err);
    while (rc == 0 && self->streams[1] < 0 && !self->is_over && !self->has_status)
        rc = turn(self, err);
    if (rc < 0)
        return rc;
    pass_size(self);
    enter_raw(self);
    while (rc == 0 && !is_done(self))
        rc = turn(self, err);
    leave_raw(self);
    return rc < 0 ? rc : self->status;
}

int guest_run(const char *socket_path, char *const *argv, bool is_interactive, err_t *err)
{
    guest_t self = {
        .streams = {-1, -1, -1},
        .has_input = true,
        .has_terminal = is_interactive && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
    };
    self.socket = local_socket_connect(socket_path, err);
    if (self.socket < 0)
        return self.socket;
    self.signals = watch_signals();
    int rc = carry(&self, argv, err);
    for (int i = 0; i < LOCAL_SOCKET_FDS; i++)
        close_stream(&self, i);
    close(self.signals);
    close(self.socket);
    return rc;
}
