#include "problems/application.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "problems/fields.h"
#include "yaml/yaml_json.h"

#include <glob.h>
#include <string.h>
#include <unistd.h>

static const cyaml_schema_field_t facts_fields[] = {
    TEXT("namespace", application_facts_t, namespace),
    TEXT("about", application_facts_t, about),
    CYAML_FIELD_MAPPING_PTR(
        "load", CYAML_FLAG_POINTER, application_facts_t, load, problem_load_fields),
    LIST("answers", CYAML_FLAG_OPTIONAL, application_facts_t, answers, answer_count,
        &problem_text_value, 1),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t facts_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, application_facts_t, facts_fields)};

/* ---- names -------------------------------------------------------------------------------- */

/* Fails with what may have been meant, or else with all there is. */
static int fail_unknown(
    const char *what, const char *word, const char *const *names, size_t count, err_t *err)
{
    AUTO_FREE char *hint = nearest_hint(word, names, count);
    AUTO_FREE char *all = xstrdup(count ? "there are:" : "there is none");
    for (size_t i = 0; i < count && !*hint; i++) {
        char *longer = xasprintf("%s%s %s", all, i ? "," : "", names[i]);
        free(all);
        all = longer;
    }
    return err_set(
        err, ERR_NOT_FOUND, "there is no %s '%.60s'; %s", what, word, *hint ? hint : all);
}

int application_check_name(const application_t *self, const char *name, err_t *err)
{
    if (json_object_get(self->objects, name))
        return 0;
    AUTO_FREE const char **names = xcalloc(json_object_size(self->objects) + 1, sizeof(*names));
    size_t count = 0;
    const char *key;
    json_t *labels;
    json_object_foreach(self->objects, key, labels) names[count++] = key;
    return fail_unknown("object", name, names, count, err);
}

static bool has_label(const json_t *labels, const char *label)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)labels, key, value)
    {
        size_t length = strlen(key);
        const char *text = json_string_value(value);
        if (strncmp(label, key, length) == 0 && label[length] == '=' && text
            && strcmp(label + length + 1, text) == 0)
            return true;
    }
    return false;
}

json_t *application_labelled(const application_t *self, const char *label, err_t *err)
{
    json_t *found = json_array();
    size_t i;
    json_t *name;
    json_array_foreach(self->deployments, i, name)
    {
        if (has_label(json_object_get(self->objects, json_string_value(name)), label))
            json_array_append(found, name);
    }
    if (json_array_size(found))
        return found;
    json_decref(found);
    err_set(err, ERR_NOT_FOUND, "no Deployment of '%s' has the label '%.80s'", self->name, label);
    return NULL;
}

/* ---- reading ------------------------------------------------------------------------------ */

static void take_object(application_t *self, const json_t *object)
{
    const json_t *metadata = json_object_get(object, "metadata");
    const char *kind = json_string_value(json_object_get(object, "kind"));
    json_t *name = json_object_get(metadata, "name");
    json_t *labels = json_object_get(metadata, "labels");
    if (!kind || !json_is_string(name))
        return;
    bool is_deployment = strcmp(kind, "Deployment") == 0;
    if (is_deployment)
        json_array_append(self->deployments, name);
    if (is_deployment || !json_object_get(self->objects, json_string_value(name)))
        json_object_set_new(
            self->objects, json_string_value(name), labels ? json_incref(labels) : json_object());
}

static int read_manifests(application_t *self, const char *apps_dir, err_t *err)
{
    AUTO_FREE char *pattern = xasprintf("%s/%s/kubernetes/*.yaml", apps_dir, self->name);
    AUTO(globfree) glob_t found = {0};
    (void)glob(pattern, 0, NULL, &found); /* none is an application without services */
    for (size_t i = 0; i < found.gl_pathc; i++) {
        json_auto_t *documents = NULL;
        int rc = yaml_json_load(found.gl_pathv[i], &documents, err);
        if (rc < 0)
            return rc;
        size_t k;
        json_t *object;
        json_array_foreach(documents, k, object) take_object(self, object);
    }
    return 0;
}

/* Those that problems can be about: with an application.yaml. */
static int fail_application(const char *apps_dir, const char *name, err_t *err)
{
    AUTO_FREE char *pattern = xasprintf("%s/*/application.yaml", apps_dir);
    AUTO(globfree) glob_t found = {0};
    (void)glob(pattern, 0, NULL, &found);
    AUTO_FREE const char **names = xcalloc(found.gl_pathc + 1, sizeof(*names));
    for (size_t i = 0; i < found.gl_pathc; i++) {
        *strrchr(found.gl_pathv[i], '/') = '\0';
        names[i] = strrchr(found.gl_pathv[i], '/') + 1;
    }
    return fail_unknown("application", name, names, found.gl_pathc, err);
}

application_t *application_new(const char *apps_dir, const char *name, err_t *err)
{
    AUTO(application_destroy) application_t *self = xcalloc(1, sizeof(*self));
    AUTO_FREE char *path = xasprintf("%s/%s/application.yaml", apps_dir, name);
    self->name = xstrdup(name);
    self->objects = json_object();
    self->deployments = json_array();
    if (strchr(name, '/') || access(path, R_OK) < 0) {
        fail_application(apps_dir, name, err);
        return NULL;
    }
    if (schema_load(path, &facts_value, (void **)&self->facts, err) < 0
        || read_manifests(self, apps_dir, err) < 0)
        return NULL;
    return TAKE(self);
}

void application_destroy(application_t **self_p)
{
    application_t *self = TAKE(*self_p);
    if (!self)
        return;
    schema_free(&facts_value, self->facts);
    json_decref(self->objects);
    json_decref(self->deployments);
    free(self->name);
    free(self);
}
