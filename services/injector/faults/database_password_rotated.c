/* database_password_rotated: the database has a new password, and the application the old one. */
#include "services/injector/edit.h"
#include "services/injector/redis_args.h"

static void edit_user(fault_work_t *work, json_t *args, size_t first, size_t count)
{
    for (size_t i = first + 2; i < first + count; i++) {
        if (*json_string_value(json_array_get(args, i)) == '>')
            json_array_set_new(args, i, json_sprintf(">%s", fault_text(work, "password")));
    }
}

static int edit(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    (void)workload;
    return redis_edit_user(work, container, edit_user, err);
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return redis_inject(work, target, edit, err);
}

const fault_kind_t fault_database_password_rotated = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
