/* database_user_removed: the database no longer knows the user that the application is. */
#include "services/injector/edit.h"
#include "services/injector/redis_args.h"

static void edit_user(fault_work_t *work, json_t *args, size_t first, size_t count)
{
    (void)work;
    for (size_t i = 0; i < count; i++)
        json_array_remove(args, first);
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

const fault_kind_t fault_database_user_removed = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
