#include "services/cluster/env/kubelet/launch.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/kubelet/variables.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/quantity.h"

#include <string.h>

/* What the container's /etc/passwd says. */
static const char *home_of(uid_t uid)
{
    enum { NOBODY = 65534 };
    return uid == 0 ? "/root" : uid == NOBODY ? "/nonexistent" : "/";
}

static void set_standard(json_t *variables, const launch_subject_t *subject)
{
    variables_set(
        variables, "PATH", "/app/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    variables_set(variables, "HOSTNAME", object_name(subject->pod.pod));
    variables_set(variables, "HOME", home_of(subject->uid));
    if (object_is_true(subject->container, "tty"))
        variables_set(variables, "TERM", "xterm");
    const char *key;
    json_t *value;
    json_object_foreach(object_at(subject->image, "env"), key, value)
        variables_set(variables, key, json_string_value(value) ? json_string_value(value) : "");
    variables_add_services(variables, &subject->pod);
}

/* ---- arguments --------------------------------------------------------------------------------
 */

static void append_words(char **argv, size_t *count, const json_t *variables, const json_t *words)
{
    size_t i;
    json_t *word;
    json_array_foreach(words, i, word)
    {
        const char *text = json_string_value(word);
        argv[(*count)++] = variables_expand(variables, text ? text : "");
    }
}

/* command replaces the image's entrypoint and its command, args replaces its command only. */
static char **build_argv(const launch_subject_t *subject, const json_t *variables)
{
    const json_t *command = object_at(subject->container, "command");
    const json_t *args = object_at(subject->container, "args");
    const json_t *first =
        json_array_size(command) ? command : object_at(subject->image, "entrypoint");
    const json_t *second = json_array_size(args)      ? args
                           : json_array_size(command) ? NULL
                                                      : object_at(subject->image, "command");
    char **argv = xcalloc(json_array_size(first) + json_array_size(second) + 1, sizeof(*argv));
    size_t count = 0;
    append_words(argv, &count, variables, first);
    append_words(argv, &count, variables, second);
    return argv;
}

static char **build_envp(const json_t *variables)
{
    const char *name;
    json_t *value;
    char **envp = xcalloc(json_object_size(variables) + 1, sizeof(*envp));
    size_t count = 0;
    json_object_foreach((json_t *)variables, name, value) envp[count++] =
        xasprintf("%s=%s", name, json_string_value(value));
    return envp;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

int launch_init(launch_t *self, const launch_subject_t *subject, err_t *err)
{
    *self = (launch_t){0};
    json_auto_t *variables = json_object();
    set_standard(variables, subject);
    int rc = variables_collect(variables, subject, err);
    if (rc < 0)
        return rc;
    self->argv = build_argv(subject, variables);
    if (!self->argv[0]) {
        launch_done(self);
        return err_set(err, ERR_INVALID, "no command specified");
    }
    self->envp = build_envp(variables);
    self->variables = json_incref(variables);
    const char *own_cwd = object_string(subject->container, "workingDir");
    const char *cwd = *own_cwd ? own_cwd : object_string(subject->image, "working_dir");
    self->cwd = *cwd ? xstrdup(cwd) : NULL;
    self->limits = (cgroup_limits_t){
        .cpu_millis = quantity_millis(object_at(subject->container, "resources.limits.cpu")),
        .cpu_request_millis =
            quantity_millis(object_at(subject->container, "resources.requests.cpu")),
        .memory_bytes = quantity_units(object_at(subject->container, "resources.limits.memory")),
    };
    return 0;
}

char *launch_expand(void *self, const char *text)
{
    return variables_expand(((launch_t *)self)->variables, text);
}

static void free_words(char **words)
{
    for (size_t i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
}

void launch_done(launch_t *self)
{
    free_words(self->argv);
    free_words(self->envp);
    json_decref(self->variables);
    free(self->cwd);
    *self = (launch_t){0};
}
