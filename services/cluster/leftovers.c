#include "services/cluster/leftovers.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/cgroup_v2.h"

#include <dirent.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_FOLDERS = 8 };

/* Children first. Controls are files and go with their folder. */
static void remove_cgroup(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        AUTO_FREE char *child = xasprintf("%s/%s", path, entry->d_name);
        remove_cgroup(child);
    }
    closedir(folder);
    (void)rmdir(path); /* swept again at the next start if something still dies in it */
}

char *leftovers_cgroup(const char *env, const char *work_dir)
{
    struct stat info = {0};
    (void)stat(work_dir, &info);
    return xasprintf("aiopslab-%s.%jx-%jx", env, (uintmax_t)info.st_dev, (uintmax_t)info.st_ino);
}

static void sweep_cgroups(const char *cgroup)
{
    char line[1024];
    FILE *table = fopen("/proc/self/cgroup", "re");
    while (table && fgets(line, sizeof(line), table)) {
        char names[128];
        char own[768];
        bool is_v2 = strncmp(line, "0::", 3) == 0;
        names[0] = '\0';
        if (sscanf(line, is_v2 ? "0::%767s" : "%*d:%*[^:]:%767s", own) != 1
            || (!is_v2 && sscanf(line, "%*d:%127[^:]:", names) != 1))
            continue;
        if (is_v2)
            cgroup_v2_strip(own);
        const char *first = strncmp(names, "name=", 5) == 0 ? names + 5 : names;
        for (const char *name = first; name;
             name = strchr(name, ',') ? strchr(name, ',') + 1 : NULL) {
            AUTO_FREE char *path = xasprintf("/sys/fs/cgroup/%.*s%s/%s", (int)strcspn(name, ","),
                name, strcmp(own, "/") == 0 ? "" : own, cgroup);
            remove_cgroup(path);
        }
    }
    if (table)
        fclose(table);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    (void)remove(path); /* the sweep at the next start tries again */
    return 0;
}

void leftovers_sweep(const char *cgroup, const char *work_dir)
{
    if (cgroup)
        sweep_cgroups(cgroup);
    (void)nftw(work_dir, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}
