/* web - the program of the tests' image: an HTTP server of one thread.
 *
 * /            greets
 * /ready       200 unless /unready was asked for last (/ready-again undoes it)
 * /alive       200 until /sicken was asked for
 * Every request is a line of the log; SIGTERM ends it. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool s_is_unready;
static bool s_is_sick;

static void on_term(int signal)
{
    (void)signal;
    _exit(0);
}

static int answer(const char *path, char *body, size_t capacity)
{
    const char *greeting = getenv("GREETING");
    const char *host = getenv("HOSTNAME");
    snprintf(body, capacity, "%s from %s\n", greeting ? greeting : "hi", host ? host : "nobody");
    s_is_unready =
        strcmp(path, "/unready") == 0 || (s_is_unready && strcmp(path, "/ready-again") != 0);
    s_is_sick = s_is_sick || strcmp(path, "/sicken") == 0;
    if (strcmp(path, "/ready") == 0 && s_is_unready)
        return 503;
    return strcmp(path, "/alive") == 0 && s_is_sick ? 500 : 200;
}

static void serve(int fd)
{
    char request[4096];
    char path[256] = "";
    char body[512];
    ssize_t size = read(fd, request, sizeof(request) - 1);
    request[size > 0 ? size : 0] = '\0';
    if (sscanf(request, "%*s %255s", path) != 1)
        return;
    int status = answer(path, body, sizeof(body));
    printf("%s %d\n", path, status);
    dprintf(fd, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status,
        strlen(body), body);
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argc > 1 ? argv[1] : "8080"))};
    int one = 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    signal(SIGTERM, on_term);
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(listener, 64) < 0) {
        perror("web");
        return EXIT_FAILURE;
    }
    printf("listening\n");
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd))
        serve(fd);
    return EXIT_FAILURE;
}
