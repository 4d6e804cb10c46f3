#include "services/injector/redis_args.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

static const char *word_at(const json_t *args, size_t index)
{
    const char *word = json_string_value(json_array_get(args, index));
    return word ? word : "";
}

int redis_edit_user(fault_work_t *work, json_t *container, redis_edit_fn *edit, err_t *err)
{
    json_t *args = json_object_get(container, "args");
    const char *user = fault_text(work, "user");
    size_t size = json_array_size(args);
    for (size_t first = 0; first + 1 < size; first++) {
        if (strcmp(word_at(args, first), "--user") != 0
            || strcmp(word_at(args, first + 1), user) != 0)
            continue;
        size_t end = first + 2;
        while (end < size && strncmp(word_at(args, end), "--", 2) != 0)
            end++;
        edit(work, args, first, end - first);
        return 0;
    }
    return err_set(err, ERR_NOT_FOUND, "no database of Redis here that has a user '%.60s'", user);
}

int redis_inject(fault_work_t *work, const char *target, workload_edit_fn *edit, err_t *err)
{
    int rc = workload_edit(work, target, edit, WORKLOAD_SWAP, err);
    AUTO_FREE char *clients = xstrdup(fault_text(work, "clients"));
    char *rest = NULL;
    for (char *name = strtok_r(clients, ",", &rest); name && rc == 0;
         name = strtok_r(NULL, ",", &rest))
        rc = workload_restart(work, name, WORKLOAD_SWAP, err);
    return rc;
}
