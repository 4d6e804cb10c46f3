/* folder - the end of a folder that a test made. */
#ifndef TESTS_SUPPORT_FOLDER_H
#define TESTS_SUPPORT_FOLDER_H

#include <ftw.h>
#include <stdio.h>

static inline int folder_entry(
    const char *path, const struct stat *about, int flag, struct FTW *where)
{
    (void)about;
    (void)flag;
    (void)where;
    return remove(path);
}

/* With all that is in it. Returns 0, or -1 if something could not be removed. */
static inline int folder_remove(const char *path)
{
    return nftw(path, folder_entry, 16, FTW_DEPTH | FTW_PHYS) == 0 ? 0 : -1;
}

#endif
