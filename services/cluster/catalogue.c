#include "services/cluster/catalogue.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "yaml/yaml_json.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *string_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int add_images(const char *path, json_t *images, err_t *err)
{
    json_auto_t *documents = NULL;
    int rc = yaml_json_load(path, &documents, err);
    if (rc < 0)
        return rc;
    const json_t *list = json_object_get(json_array_get(documents, 0), "images");
    if (!json_is_array(list))
        return err_set(err, ERR_INVALID, "%s:1:1: expected a list 'images'", path);
    json_array_extend(images, (json_t *)list);
    return 0;
}

int catalogue_images(const char *data_dir, json_t **images_p, err_t *err)
{
    json_auto_t *images = json_array();
    AUTO_FREE char *pattern = xasprintf("%s/apps/*/images.yaml", data_dir);
    AUTO(globfree) glob_t found = {0};
    (void)glob(pattern, 0, NULL, &found); /* none is an empty list */
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int rc = add_images(found.gl_pathv[i], images, err);
        if (rc < 0)
            return rc;
    }
    *images_p = json_incref(images);
    return 0;
}

/* ---- manifests ---------------------------------------------------------------------------------
 */

static int fail_unknown(const char *data_dir, const char *app, err_t *err)
{
    AUTO_FREE char *pattern = xasprintf("%s/apps/*/kubernetes", data_dir);
    AUTO(globfree) glob_t found = {0};
    (void)glob(pattern, 0, NULL, &found);
    AUTO_FREE const char **names = xcalloc(found.gl_pathc + 1, sizeof(*names));
    char all[160] = "there are: ";
    for (size_t i = 0; i < found.gl_pathc; i++) {
        *strrchr(found.gl_pathv[i], '/') = '\0';
        names[i] = strrchr(found.gl_pathv[i], '/') + 1;
        size_t used = strlen(all);
        snprintf(all + used, sizeof(all) - used, "%s%s", i ? ", " : "", names[i]);
    }
    AUTO_FREE char *hint = nearest_hint(app, names, found.gl_pathc);
    return err_set(err, ERR_NOT_FOUND, "no application '%.60s'; %s", app, *hint ? hint : all);
}

/* Namespaces go first, whatever the order of files. */
static void add_object(json_t *objects, json_t *object)
{
    if (strcmp(string_at(object, "kind"), "Namespace") == 0)
        json_array_insert(objects, 0, object);
    else
        json_array_append(objects, object);
}

static void find_namespace(const json_t *object, char **namespace_p)
{
    const char *namespace = string_at(json_object_get(object, "metadata"), "namespace");
    if (*namespace && !*namespace_p)
        *namespace_p = xstrdup(namespace);
}

static int add_manifest(const char *path, json_t *objects, char **namespace_p, err_t *err)
{
    json_auto_t *documents = NULL;
    int rc = yaml_json_load(path, &documents, err);
    if (rc < 0)
        return rc;
    size_t i;
    json_t *object;
    json_array_foreach(documents, i, object)
    {
        if (!*string_at(object, "kind") || !*string_at(object, "apiVersion"))
            return err_set(
                err, ERR_INVALID, "%s: document %zu has no apiVersion or kind", path, i + 1);
        add_object(objects, object);
        find_namespace(object, namespace_p);
    }
    return 0;
}

static bool is_plain_name(const char *name)
{
    return *name && !strchr(name, '/') && name[0] != '.'
           && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

/* The application's files; *found is for globfree() whatever comes back. */
static int find_files(const char *data_dir, const char *app, glob_t *found, err_t *err)
{
    AUTO_FREE char *pattern = xasprintf("%s/apps/%s/kubernetes/*.yaml", data_dir, app);
    return is_plain_name(app) && glob(pattern, 0, NULL, found) == 0
               ? 0
               : fail_unknown(data_dir, app, err);
}

int catalogue_check(const char *data_dir, const char *app, err_t *err)
{
    AUTO(globfree) glob_t found = {0};
    return find_files(data_dir, app, &found, err);
}

int catalogue_manifests(
    const char *data_dir, const char *app, json_t **objects_p, char **namespace_p, err_t *err)
{
    AUTO(globfree) glob_t found = {0};
    if (find_files(data_dir, app, &found, err) < 0)
        return -ERR_NOT_FOUND;
    json_auto_t *objects = json_array();
    AUTO_FREE char *namespace = NULL;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int rc = add_manifest(found.gl_pathv[i], objects, &namespace, err);
        if (rc < 0)
            return rc;
    }
    *objects_p = json_incref(objects);
    *namespace_p = namespace ? TAKE(namespace) : xasprintf("test-%s", app);
    return 0;
}
