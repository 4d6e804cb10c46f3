/* terminal - a pseudo-terminal of a container's own /dev/pts. */
#ifndef CLUSTER_RUNTIME_TERMINAL_H
#define CLUSTER_RUNTIME_TERMINAL_H

/* In the child, inside the container: makes a terminal of that size (0: not known), sends its
 * master by the socket and returns its other side, or -1. Calls nothing but the kernel. */
int terminal_open(int socket_fd, int columns, int rows);

/* In the parent: the master that was sent, non-blocking; -1 if none came. */
int terminal_receive(int socket_fd);

/* Tells the programs on it how large it is. */
void terminal_resize(int master_fd, int columns, int rows);

#endif
