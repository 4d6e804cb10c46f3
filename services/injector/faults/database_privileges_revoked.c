/* database_privileges_revoked: the application may log in to its database, and do nothing there. */
#include "services/injector/edit.h"
#include "services/injector/redis_args.h"

static void edit_user(fault_work_t *work, json_t *args, size_t first, size_t count)
{
    json_array_insert_new(args, first + count, json_string(fault_text(work, "rule")));
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

const fault_kind_t fault_database_privileges_revoked = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
