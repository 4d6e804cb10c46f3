/* The end of a session. */
#include "services/cluster/runtime/internal.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <string.h>

enum { KILL_TURNS = 16 };

/* The session of a live process, or 0. */
static pid_t session_of(const char *pid)
{
    char text[512];
    char state;
    int session = 0;
    AUTO_FREE char *path = xasprintf("/proc/%s/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    const char *fields = strrchr(text, ')'); /* the name before it may hold anything */
    bool is_read = fields && sscanf(fields + 1, " %c %*d %*d %d", &state, &session) == 2;
    return is_read && state != 'Z' ? session : 0;
}

/* Returns whether there was any. */
static bool kill_members(pid_t session)
{
    bool is_any = false;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        if (!isdigit((unsigned char)entry->d_name[0]) || session_of(entry->d_name) != session)
            continue;
        is_any = kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL) == 0 || is_any;
    }
    if (proc)
        closedir(proc);
    return is_any;
}

/* Again until nobody is found, for they may have children meanwhile. Whoever left the session, as
 * daemons do, stays. The number is not given away while the leader is unreaped. */
void session_kill(pid_t leader)
{
    for (int turn = 0; turn < KILL_TURNS && kill_members(leader); turn++)
        continue;
}
