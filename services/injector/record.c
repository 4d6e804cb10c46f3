#include "services/injector/record.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

/* ---- the file ----------------------------------------------------------------------------- */

static int write_through(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    size_t size = strlen(text);
    ssize_t count = write(fd, text, size);
    int rc = count == (ssize_t)size ? fsync(fd) : -1;
    if (count >= 0 && count < (ssize_t)size)
        errno = ENOSPC;
    int cause = errno;
    (void)close(fd); /* it is on the disk, or has failed already */
    errno = cause;
    return rc;
}

/* The new name, too, must be on the disk. */
static int sync_folder(const char *path)
{
    AUTO_FREE char *folder = xstrdup(path);
    *strrchr(folder, '/') = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int rc = fsync(fd);
    (void)close(fd);
    return rc;
}

static json_t *to_json(const record_t *self)
{
    json_t *targets = json_array();
    for (size_t i = 0; i < self->targets.count; i++)
        json_array_append_new(targets, json_string(self->targets.items[i]));
    const record_times_t *times = &self->times;
    json_t *when =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "asked_at", (json_int_t)times->asked_at,
            "start_at", (json_int_t)times->start_at, "end_at", (json_int_t)times->end_at, "for_ms",
            (json_int_t)times->for_ms, "every_ms", (json_int_t)times->every_ms, "ramp_ms",
            (json_int_t)times->ramp_ms, "rounds", (json_int_t)times->rounds);
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:O, s:I, s:s, s:s*, s:O, s:O, s:o}", "fault_id",
        self->fault_id, "fault", self->fault, "env", self->env, "namespace", self->namespace,
        "targets", targets, "parameters", self->parameters, "seed", (json_int_t)self->seed, "state",
        self->state, "reason", self->reason, "struck", self->struck, "changes", self->changes,
        "times", when);
}

int record_save(const record_t *self, err_t *err)
{
    json_t *json = to_json(self);
    AUTO_FREE char *text = json_dumps(json, JSON_INDENT(2));
    json_decref(json);
    AUTO_FREE char *partial = xasprintf("%s.partial", self->path);
    if (write_through(partial, text) == 0 && rename(partial, self->path) == 0
        && sync_folder(self->path) == 0)
        return 0;
    int cause = errno;
    (void)unlink(partial); /* it may not be there */
    return err_set(err, ERR_IO, "cannot write '%s': %s", self->path, strerror(cause));
}

void record_forget(const record_t *self)
{
    (void)unlink(self->path); /* it may never have been written */
}

int64_t record_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- changes ------------------------------------------------------------------------------ */

void record_set_state(record_t *self, const char *state, const char *reason)
{
    AUTO_FREE char *old_state = self->state;
    AUTO_FREE char *old_reason = self->reason;
    self->state = xstrdup(state);
    self->reason = reason && *reason ? xstrdup(reason) : NULL;
}

int record_note(record_t *self, json_t *change, err_t *err)
{
    json_array_append_new(self->changes, change);
    return record_save(self, err);
}

/* ---- life cycle --------------------------------------------------------------------------- */

/* Ids come from outside; as file names, letters, digits and dashes are enough. */
static char *path_in(const char *folder, const char *fault_id)
{
    char *path = xasprintf("%s/%s.json", folder, fault_id);
    for (char *at = path + strlen(folder) + 1; at[5]; at++) {
        if (!isalnum((unsigned char)*at) && *at != '-')
            *at = '_';
    }
    return path;
}

record_t *record_new(const char *folder, const fault_inject_t *request)
{
    record_t *self = xcalloc(1, sizeof(*self));
    self->path = path_in(folder, request->fault_id);
    self->fault_id = xstrdup(request->fault_id);
    self->fault = xstrdup(request->fault);
    self->env = xstrdup(request->env);
    self->namespace = xstrdup(request->namespace);
    self->targets.items = xcalloc(request->targets.count + 1, sizeof(char *));
    for (size_t i = 0; i < request->targets.count; i++)
        self->targets.items[self->targets.count++] = xstrdup(request->targets.items[i]);
    self->parameters =
        json_is_object(request->params) ? json_deep_copy(request->params) : json_object();
    self->seed = request->seed;
    self->state = xstrdup("scheduled");
    self->struck = json_array();
    self->changes = json_array();
    self->times = (record_times_t){.asked_at = record_now(),
        .start_at = record_now() + request->after_ms,
        .for_ms = request->for_ms,
        .every_ms = request->every_ms,
        .ramp_ms = request->ramp_ms,
        .rounds = request->times > 0 ? request->times : 1};
    return self;
}

static int64_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static record_times_t times_of(const json_t *json)
{
    return (record_times_t){.asked_at = number_of(json, "asked_at"),
        .start_at = number_of(json, "start_at"),
        .end_at = number_of(json, "end_at"),
        .for_ms = number_of(json, "for_ms"),
        .every_ms = number_of(json, "every_ms"),
        .ramp_ms = number_of(json, "ramp_ms"),
        .rounds = number_of(json, "rounds")};
}

static record_t *from_json(const char *path, const json_t *json)
{
    fault_inject_t request = {0};
    const char *state = NULL;
    const char *reason = NULL;
    json_t *targets = NULL;
    json_t *struck = NULL;
    json_t *changes = NULL;
    json_t *times = NULL;
    json_int_t seed = 0;
    if (json_unpack((json_t *)json, "{s:s, s:s, s:s, s:s, s:o, s:o, s:I, s:s, s?s, s:o, s:o, s:o}",
            "fault_id", &request.fault_id, "fault", &request.fault, "env", &request.env,
            "namespace", &request.namespace, "targets", &targets, "parameters", &request.params,
            "seed", &seed, "state", &state, "reason", &reason, "struck", &struck, "changes",
            &changes, "times", &times)
        < 0)
        return NULL;
    request.seed = seed;
    record_t *self = record_new("", &request);
    free(self->path);
    self->path = xstrdup(path);
    free(self->targets.items);
    self->targets.items = xcalloc(json_array_size(targets) + 1, sizeof(char *));
    for (size_t i = 0; i < json_array_size(targets); i++) {
        const char *target = json_string_value(json_array_get(targets, i));
        self->targets.items[self->targets.count++] = xstrdup(target ? target : "");
    }
    json_array_extend(self->struck, struck);
    json_array_extend(self->changes, changes);
    self->times = times_of(times);
    record_set_state(self, state, reason);
    return self;
}

record_t *record_load(const char *path, err_t *err)
{
    json_error_t cause;
    json_t *json = json_load_file(path, 0, &cause);
    record_t *self = json ? from_json(path, json) : NULL;
    json_decref(json);
    if (!self)
        err_set(err, ERR_INVALID, "the record '%s' is unreadable", path);
    return self;
}

void record_destroy(record_t **self_p)
{
    record_t *self = TAKE(*self_p);
    if (!self)
        return;
    for (size_t i = 0; i < self->targets.count; i++)
        free(self->targets.items[i]);
    free(self->targets.items);
    json_decref(self->parameters);
    json_decref(self->struck);
    json_decref(self->changes);
    char *texts[] = {self->path, self->fault_id, self->fault, self->env, self->namespace,
        self->state, self->reason};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        free(texts[i]);
    free(self);
}
