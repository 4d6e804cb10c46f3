#include "services/cluster/runtime/terminal.h"

#include "base/local_socket.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Whatever else may lie at that path in a container, nothing but a terminal passes the ioctls. */
int terminal_open(int socket_fd, int columns, int rows)
{
    int unlocked = 0;
    int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0)
        return -1;
    terminal_resize(master, columns, rows);
    int other = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return other >= 0 && local_socket_send(socket_fd, "", 1, &master, 1) == 0 ? other : -1;
}

int terminal_receive(int socket_fd)
{
    char byte;
    int fds[LOCAL_SOCKET_FDS] = {-1};
    size_t count;
    (void)local_socket_receive(socket_fd, &byte, 1, fds, &count); /* count tells */
    return count ? fds[0] : -1;
}

void terminal_resize(int master_fd, int columns, int rows)
{
    struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
    (void)ioctl(master_fd, TIOCSWINSZ, &size); /* its programs may be gone */
}
