#include "cli/results.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/paths.h"
#include "cli/folder.h"

#include <stdlib.h>

static char *save_in(const char *folder, const char *name, const char *text)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
    return folder_write(path, text, NULL) == 0 ? TAKE(path) : NULL;
}

char *results_save(const json_t *result)
{
    const char *temporary = getenv("TMPDIR");
    AUTO_FREE char *state_dir = paths_state_dir(NULL);
    AUTO_FREE char *folder = state_dir ? xasprintf("%s/results", state_dir) : NULL;
    AUTO_FREE char *text = json_dumps(result, JSON_INDENT(4));
    AUTO_FREE char *name =
        xasprintf("%s_%.6f.json", json_string_value(json_object_get(result, "session_id")),
            json_number_value(json_object_get(result, "start_time")));
    char *path = NULL;
    if (folder && paths_make_private(folder, NULL) == 0)
        path = save_in(folder, name, text);
    return path ? path : save_in(temporary && *temporary ? temporary : "/tmp", name, text);
}
