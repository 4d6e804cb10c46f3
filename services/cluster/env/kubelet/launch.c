#include "services/cluster/env/kubelet/launch.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/kubelet/base64.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/quantity.h"

#include <ctype.h>
#include <string.h>

/* Variables in order of appearance; a later one of the same name replaces the value. */
typedef json_t variables_t;

static void set(variables_t *variables, const char *name, const char *value)
{
    json_object_set_new(variables, name, json_string(value));
}

/* $(NAME) is the variable's value, $$ is $; what is unknown stays. */
static char *expand(const variables_t *variables, const char *text)
{
    char *expanded = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&expanded, &size);
    while (*text) {
        const char *end = text[0] == '$' && text[1] == '(' ? strchr(text, ')') : NULL;
        AUTO_FREE char *name = end ? xstrndup(text + 2, (size_t)(end - text - 2)) : NULL;
        const char *value = name ? json_string_value(json_object_get(variables, name)) : NULL;
        if (value) {
            fputs(value, out);
            text = end + 1;
        } else {
            fputc(*text, out);
            text += text[0] == '$' && text[1] == '$' ? 2 : 1;
        }
    }
    fclose(out);
    return expanded;
}

/* ---- variables ------------------------------------------------------------------------------- */

/* NAME_SERVICE_HOST and NAME_SERVICE_PORT of each Service of the pod's namespace. */
static void set_service(void *arg, json_t *service)
{
    variables_t *variables = arg;
    const char *address = object_string(service, "spec.clusterIP");
    if (!*address || strcmp(address, "None") == 0)
        return;
    AUTO_FREE char *prefix = xstrdup(object_name(service));
    for (char *c = prefix; *c; c++)
        *c = (char)(*c == '-' ? '_' : toupper(*c));
    const json_t *port = json_array_get(object_at(service, "spec.ports"), 0);
    AUTO_FREE char *host_name = xasprintf("%s_SERVICE_HOST", prefix);
    AUTO_FREE char *port_name = xasprintf("%s_SERVICE_PORT", prefix);
    AUTO_FREE char *number = xasprintf("%lld", (long long)object_integer(port, "port", 0));
    set(variables, host_name, address);
    set(variables, port_name, number);
}

/* One key of a ConfigMap or Secret, for free(); NULL if there is none. */
static char *value_of_key(const json_t *object, bool is_secret, const char *key)
{
    const char *value = json_string_value(json_object_get(object_at(object, "data"), key));
    if (!value)
        return NULL;
    size_t size = 0;
    return is_secret ? base64_decode(value, &size) : xstrdup(value);
}

static const json_t *find_source(const launch_subject_t *subject, bool is_secret, const char *name)
{
    return store_get(subject->store, kind_find(is_secret ? "Secret" : "ConfigMap"),
        object_namespace(subject->pod), name);
}

static int set_from_key(variables_t *variables, const launch_subject_t *subject, const char *name,
    const json_t *reference, bool is_secret, err_t *err)
{
    const char *source = object_string(reference, "name");
    const char *key = object_string(reference, "key");
    bool is_optional = object_is_true(reference, "optional");
    const json_t *object = find_source(subject, is_secret, source);
    if (!object)
        return is_optional ? 0
                           : err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found",
                               is_secret ? "secret" : "configmap", source);
    AUTO_FREE char *value = value_of_key(object, is_secret, key);
    if (!value)
        return is_optional
                   ? 0
                   : err_set(err, ERR_NOT_FOUND, "couldn't find key %s in %s %s/%s", key,
                       is_secret ? "Secret" : "ConfigMap", object_namespace(subject->pod), source);
    set(variables, name, value);
    return 0;
}

/* "metadata.labels['app']" and the like. */
static const char *annotated(const json_t *pod, const char *path)
{
    char key[256];
    if (sscanf(path, "metadata.labels['%255[^']']", key) == 1)
        return object_label(pod, key);
    if (sscanf(path, "metadata.annotations['%255[^']']", key) == 1)
        return object_annotation(pod, key);
    return NULL;
}

static void set_from_field(
    variables_t *variables, const launch_subject_t *subject, const char *name, const char *path)
{
    const char *value = annotated(subject->pod, path);
    if (strcmp(path, "status.podIP") == 0)
        value = subject->pod_ip;
    else if (strcmp(path, "status.hostIP") == 0)
        value = subject->host_ip;
    else if (!value)
        value = object_string(subject->pod, path);
    set(variables, name, value);
}

static int set_variable(
    variables_t *variables, const launch_subject_t *subject, const json_t *entry, err_t *err)
{
    const char *name = object_string(entry, "name");
    const json_t *config_map = object_at(entry, "valueFrom.configMapKeyRef");
    const json_t *secret = object_at(entry, "valueFrom.secretKeyRef");
    const json_t *field = object_at(entry, "valueFrom.fieldRef");
    if (config_map)
        return set_from_key(variables, subject, name, config_map, false, err);
    if (secret)
        return set_from_key(variables, subject, name, secret, true, err);
    if (field) {
        set_from_field(variables, subject, name, object_string(field, "fieldPath"));
        return 0;
    }
    AUTO_FREE char *value = expand(variables, object_string(entry, "value"));
    set(variables, name, value);
    return 0;
}

static int set_all_of(
    variables_t *variables, const launch_subject_t *subject, const json_t *entry, err_t *err)
{
    bool is_secret = object_at(entry, "secretRef") != NULL;
    const json_t *reference = object_at(entry, is_secret ? "secretRef" : "configMapRef");
    const char *source = object_string(reference, "name");
    const json_t *object = find_source(subject, is_secret, source);
    if (!object)
        return object_is_true(reference, "optional")
                   ? 0
                   : err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found",
                       is_secret ? "secret" : "configmap", source);
    const char *key;
    json_t *value;
    json_object_foreach(object_at(object, "data"), key, value)
    {
        AUTO_FREE char *name = xasprintf("%s%s", object_string(entry, "prefix"), key);
        AUTO_FREE char *text = value_of_key(object, is_secret, key);
        set(variables, name, text ? text : "");
    }
    return 0;
}

static void set_standard(variables_t *variables, const launch_subject_t *subject)
{
    set(variables, "PATH", "/app/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    set(variables, "HOSTNAME", object_name(subject->pod));
    set(variables, "HOME", "/root");
    const char *key;
    json_t *value;
    json_object_foreach(object_at(subject->image, "env"), key, value)
        set(variables, key, json_string_value(value) ? json_string_value(value) : "");
    set(variables, "KUBERNETES_SERVICE_HOST", "10.96.0.1");
    set(variables, "KUBERNETES_SERVICE_PORT", "443");
    if (!json_is_false(object_at(subject->pod, "spec.enableServiceLinks")))
        store_each(subject->store, kind_find("Service"), object_namespace(subject->pod),
            set_service, variables);
}

static int collect_variables(variables_t *variables, const launch_subject_t *subject, err_t *err)
{
    size_t i;
    json_t *entry;
    set_standard(variables, subject);
    json_array_foreach(object_at(subject->container, "envFrom"), i, entry)
    {
        int rc = set_all_of(variables, subject, entry, err);
        if (rc < 0)
            return rc;
    }
    json_array_foreach(object_at(subject->container, "env"), i, entry)
    {
        int rc = set_variable(variables, subject, entry, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- arguments ------------------------------------------------------------------------------- */

static void append_words(
    char **argv, size_t *count, const variables_t *variables, const json_t *words)
{
    size_t i;
    json_t *word;
    json_array_foreach(words, i, word)
    {
        const char *text = json_string_value(word);
        argv[(*count)++] = expand(variables, text ? text : "");
    }
}

/* command replaces the image's entrypoint and its command, args replaces its command only. */
static char **build_argv(const launch_subject_t *subject, const variables_t *variables)
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

static char **build_envp(const variables_t *variables)
{
    const char *name;
    json_t *value;
    char **envp = xcalloc(json_object_size(variables) + 1, sizeof(*envp));
    size_t count = 0;
    json_object_foreach((json_t *)variables, name, value) envp[count++] =
        xasprintf("%s=%s", name, json_string_value(value));
    return envp;
}

int launch_init(launch_t *self, const launch_subject_t *subject, err_t *err)
{
    *self = (launch_t){0};
    json_auto_t *variables = json_object();
    int rc = collect_variables(variables, subject, err);
    if (rc < 0)
        return rc;
    self->argv = build_argv(subject, variables);
    if (!self->argv[0]) {
        launch_done(self);
        return err_set(err, ERR_INVALID, "no command specified");
    }
    self->envp = build_envp(variables);
    self->limits = (cgroup_limits_t){
        .cpu_millis = quantity_millis(object_at(subject->container, "resources.limits.cpu")),
        .memory_bytes = quantity_units(object_at(subject->container, "resources.limits.memory")),
    };
    return 0;
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
    *self = (launch_t){0};
}
