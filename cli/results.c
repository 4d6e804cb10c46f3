#include "cli/results.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/paths.h"
#include "cli/command.h"
#include "cli/folder.h"
#include "cli/trial.h"

#include <stdlib.h>

static char *save_in(const char *folder, const char *name, const char *text)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
    return folder_write(path, text, NULL) == 0 ? TAKE(path) : NULL;
}

/* Where there is room: below the state folder, else where temporary files go. The path, for free();
 * NULL if there is none anywhere. */
static char *save_anywhere(const json_t *result)
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

static void print_json(const json_t *result)
{
    json_dumpf(result, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
}

/* The orchestrator could not write it, and says why in the result. */
static int save(progress_t *progress, json_t *result, bool is_json)
{
    const char *reason = json_string_value(json_object_get(result, "reason"));
    AUTO_FREE char *path = save_anywhere(result);
    progress_say(progress, "  result   not where it should be: %s", reason ? reason : "unknown");
    if (path) {
        json_object_set_new(result, "result_path", json_string(path));
        progress_say(progress, "           saved in %s", path);
    } else {
        progress_say(progress, "           and there is no room elsewhere; this is all of it:");
        if (!is_json)
            print_json(result);
    }
    return EXIT_UNSAVED;
}

int results_report(progress_t *progress, json_t *result, bool is_json)
{
    bool is_success;
    bool is_void;
    AUTO_FREE char *verdict = trial_verdict(result, &is_success, &is_void);
    const char *path = json_string_value(json_object_get(result, "result_path"));
    int status = is_void ? EXIT_VOID : is_success ? EXIT_DONE : EXIT_WRONG;
    progress_verdict(progress, is_success, "  %s  %s",
        is_void      ? "void   "
        : is_success ? "success"
                     : "failure",
        verdict);
    if (path)
        progress_say(progress, "  result   %s", path);
    else
        status = save(progress, result, is_json);
    if (is_json)
        print_json(result);
    return status;
}
