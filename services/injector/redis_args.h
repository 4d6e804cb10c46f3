/* redis_args - the users of a Redis, as the arguments of its container declare them:
 * "--user NAME RULE… --user NAME RULE…". */
#ifndef INJECTOR_REDIS_ARGS_H
#define INJECTOR_REDIS_ARGS_H

#include "services/injector/workload.h"

/* Edits the rules of the user that the parameter "user" names: the count elements of args from
 * first on, "--user" and the name included. */
typedef void(redis_edit_fn)(fault_work_t *work, json_t *args, size_t first, size_t count);

/* For a workload_edit_fn; fails if there is no such user. */
int redis_edit_user(fault_work_t *work, json_t *container, redis_edit_fn *edit, err_t *err);

/* Puts an edit of a database in force, and starts those of the parameter "clients" (names with
 * commas) anew, since they ask their database only when they start. */
int redis_inject(fault_work_t *work, const char *target, workload_edit_fn *edit, err_t *err);

#endif
