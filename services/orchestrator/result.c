/* The original's keys, then ours. */
#include "services/orchestrator/result.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* ---- the object --------------------------------------------------------------------------- */

/* The end is as long after the beginning as the agent had its turn, whatever the wall clock did in
 * between; what that clock said is told under "clocks". */
static json_t *original_keys(const session_t *self)
{
    double end_time = self->start_time + (double)session_active_ms(self) / 1000;
    const json_t *results = json_object_get(self->verdict, "results");
    return json_pack("{s:s, s:s, s:s, s:f, s:f, s:O, s:o}", "agent", self->agent, "session_id",
        self->id, "problem_id", self->problem->id, "start_time", self->start_time, "end_time",
        end_time, "trace", self->trace, "results",
        results ? json_deep_copy(results) : json_object());
}

static json_t *clocks(const session_t *self)
{
    return json_pack("{s:{s:f, s:f}, s:{s:I}}", "wall", "start", self->start_time, "end",
        self->end_time > 0 ? self->end_time : self->start_time, "monotonic_ms", "active",
        (json_int_t)session_active_ms(self));
}

static json_t *or_null(json_t *value)
{
    return value ? json_deep_copy(value) : json_null();
}

/* What it will be once this is written: nothing can change its end any more. */
static const char *final_state(const session_t *self)
{
    if (!self->is_ending)
        return session_state_name(self->state);
    return session_state_name(self->is_failing ? SESSION_FAILED : SESSION_CLOSED);
}

static int64_t phase_ms(const json_t *phases, session_state_t state)
{
    return json_integer_value(json_object_get(phases, session_state_name(state)));
}

/* From the fault to the verdict, and whose time it was: the agent's is its turn without its steps.
 */
static json_t *times(const session_t *self)
{
    int64_t fault_to_verdict_ms = 0;
    for (session_state_t state = SESSION_FAULTED; state <= SESSION_SUBMITTED; state++)
        fault_to_verdict_ms += phase_ms(self->phases, state);
    int64_t agent_ms = session_active_ms(self) - self->acting_ms;
    return json_pack("{s:I, s:I, s:I}", "fault_to_verdict", (json_int_t)fault_to_verdict_ms,
        "agent", (json_int_t)agent_ms, "environment", (json_int_t)(fault_to_verdict_ms - agent_ms));
}

/* FNV-1a of all that problem and seed decide, http://www.isthe.com/chongo/tech/comp/fnv/ */
static json_t *plan_digest(const session_t *self)
{
    AUTO_FREE char *text = json_dumps(self->plan, JSON_COMPACT | JSON_SORT_KEYS);
    uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char *at = text; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3ULL;
    return json_sprintf("%016llx", (unsigned long long)hash);
}

static json_t *phases(const session_t *self)
{
    json_t *all = json_deep_copy(self->phases);
    json_object_set_new(all, session_state_name(self->state),
        json_integer(ev_now(self->owner->ev) - self->state_since_ms));
    return all;
}

static json_t *build(const session_t *self)
{
    const problem_t *problem = self->problem;
    json_t *result = original_keys(self);
    json_t *ours = json_pack("{s:s, s:s, s:s, s:s*, s:s, s:o, s:b, s:o, s:o}", "task",
        task_name(problem->task), "application", problem->family->application, "state",
        final_state(self), "reason", self->reason, "ended_by", self->ended_by, "success",
        or_null(json_object_get(self->verdict, "success")), "fault_ended_early",
        (int)self->is_fault_undone, "solution", or_null(self->solution), "expected",
        or_null(json_object_get(self->plan, "expected")));
    json_object_update(result, ours);
    json_decref(ours);
    json_t *how = json_pack("{s:I, s:I, s:{s:s}, s:o, s:o, s:o, s:o}", "seed",
        (json_int_t)self->seed, "max_steps", (json_int_t)self->max_steps, "versions", "aiopslab",
        AIO_VERSION, "clocks", clocks(self), "phases_ms", phases(self), "environment_phases_ms",
        or_null(self->env_phases), "load", or_null(self->load_seen));
    json_object_set_new(result, "scoring", json_string(self->scoring ? self->scoring : "aiopslab"));
    json_object_set_new(result, "plan_digest", plan_digest(self));
    json_object_set_new(result, "times_ms", times(self));
    json_object_set_new(result, "healthy", json_boolean(self->is_healthy));
    json_object_set_new(result, "symptom_after_ms",
        self->symptom_ms < 0 ? json_null() : json_integer(self->symptom_ms));
    json_object_update(result, how);
    json_decref(how);
    return mem_check(result);
}

/* ---- the file ----------------------------------------------------------------------------- */

static int write_all(int fd, const char *text)
{
    size_t size = strlen(text);
    for (size_t done = 0; done < size;) {
        ssize_t count = write(fd, text + done, size - done);
        if (count < 0 && errno != EINTR)
            return -1;
        done += count > 0 ? (size_t)count : 0;
    }
    return fsync(fd);
}

/* Beside the place first, and then into it, so that nobody ever sees half a file. */
static int write_file(const char *folder, const char *name, const char *text, err_t *err)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
    AUTO_FREE char *partial = xasprintf("%s/.%s.partial", folder, name);
    int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_set(err, ERR_IO, "cannot write '%s': %s", partial, strerror(errno));
    int rc = write_all(fd, text);
    int cause = errno;
    if (close(fd) < 0 && rc == 0) {
        cause = errno;
        rc = -1;
    }
    if (rc == 0 && rename(partial, path) < 0) {
        cause = errno;
        rc = -1;
    }
    if (rc == 0)
        return 0;
    (void)unlink(partial); /* what is left of it is of no use, nor in the way */
    return err_set(err, ERR_IO, "cannot write '%s': %s", path, strerror(cause));
}

static void on_unwritten(session_t *self, const err_t *err)
{
    log_error("result.unwritten", "session=%s reason=\"%s\"", self->id, err->text);
    free(self->result_path);
    self->result_path = NULL;
    if (self->reason && strstr(self->reason, err->text))
        return; /* said before */
    char *reason = xasprintf("%s%s%s; session.result still tells it",
        self->reason ? self->reason : "", self->reason ? "; " : "", err->text);
    free(self->reason);
    self->reason = reason;
}

void result_write(session_t *self)
{
    err_t err = {0};
    json_decref(self->result);
    self->result = build(self);
    const char *folder = self->results_dir ? self->results_dir : self->owner->results_dir;
    AUTO_FREE char *text = json_dumps(self->result, JSON_INDENT(4));
    AUTO_FREE char *name = xasprintf("%s_%.6f.json", self->id, self->start_time);
    int rc = paths_make_private(folder, &err);
    if (rc == 0)
        rc = write_file(folder, name, text, &err);
    if (rc < 0) {
        on_unwritten(self, &err);
        return;
    }
    free(self->result_path);
    self->result_path = xasprintf("%s/%s", folder, name);
}
