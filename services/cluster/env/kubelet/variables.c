#include "services/cluster/env/kubelet/variables.h"

#include "base/auto.h"
#include "base/base64.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <string.h>

void variables_set(json_t *variables, const char *name, const char *value)
{
    json_object_set_new(variables, name, json_string(value));
}

char *variables_expand(const json_t *variables, const char *text)
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

/* ---- ConfigMaps and Secrets -------------------------------------------------------------------
 */

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
    return store_get(subject->pod.store, kind_find(is_secret ? "Secret" : "ConfigMap"),
        object_namespace(subject->pod.pod), name);
}

static int set_from_key(json_t *variables, const launch_subject_t *subject, const char *name,
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
    if (value)
        variables_set(variables, name, value);
    return value || is_optional
               ? 0
               : err_set(err, ERR_NOT_FOUND, "couldn't find key %s in %s %s/%s", key,
                   is_secret ? "Secret" : "ConfigMap", object_namespace(subject->pod.pod), source);
}

static int set_all_of(
    json_t *variables, const launch_subject_t *subject, const json_t *entry, err_t *err)
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
        variables_set(variables, name, text ? text : "");
    }
    return 0;
}

/* ---- the container's --------------------------------------------------------------------------
 */

static int set_variable(
    json_t *variables, const launch_subject_t *subject, const json_t *entry, err_t *err)
{
    const char *name = object_string(entry, "name");
    const json_t *from = json_object_get(entry, "valueFrom");
    const json_t *config_map = json_object_get(from, "configMapKeyRef");
    const json_t *secret = json_object_get(from, "secretKeyRef");
    const json_t *field = json_object_get(from, "fieldRef");
    const json_t *resource = json_object_get(from, "resourceFieldRef");
    if (config_map)
        return set_from_key(variables, subject, name, config_map, false, err);
    if (secret)
        return set_from_key(variables, subject, name, secret, true, err);
    AUTO_FREE char *value = field ? downward_field(&subject->pod, object_string(field, "fieldPath"))
                            : resource
                                ? downward_resource(&subject->pod, resource, subject->container)
                                : variables_expand(variables, object_string(entry, "value"));
    variables_set(variables, name, value);
    return 0;
}

int variables_collect(json_t *variables, const launch_subject_t *subject, err_t *err)
{
    size_t i;
    json_t *entry;
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
