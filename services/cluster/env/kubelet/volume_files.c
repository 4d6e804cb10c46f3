/* Volumes whose files come from the API: configMap, secret, downwardAPI, projected. */
#include "services/cluster/env/kubelet/volume_place.h"

#include "base/auto.h"
#include "base/base64.h"
#include "base/mem.h"
#include "services/cluster/env/kubelet/payload.h"
#include "services/cluster/env/kubelet/volume_token.h"
#include "services/cluster/env/object.h"

#include <string.h>

enum { DEFAULT_MODE = 0644 };

typedef struct collection {
    const volumes_subject_t *subject;
    const char *folder; /* of the volume */
    payload_t payload;
    mode_t mode; /* of files that do not say */
} collection_t;

static mode_t mode_of(const collection_t *self, const json_t *item)
{
    return (mode_t)object_integer(item, "mode", self->mode);
}

/* ---- configMap and secret ---------------------------------------------------------------------
 */

/* The bytes of a key, NULL if there is none. */
static char *bytes_of(const json_t *object, const char *key, bool is_secret, size_t *size_p)
{
    const json_t *plain = json_object_get(object_at(object, "data"), key);
    const json_t *binary = json_object_get(object_at(object, "binaryData"), key);
    const json_t *encoded = is_secret ? plain : plain ? NULL : binary;
    if (encoded)
        return base64_decode(json_string_value(encoded), size_p);
    if (!plain)
        return NULL;
    *size_p = json_string_length(plain);
    char *bytes = mem_check(malloc(*size_p + 1));
    memcpy(bytes, json_string_value(plain), *size_p + 1);
    return bytes;
}

static void add_all(collection_t *self, const json_t *object, const char *map, bool is_secret)
{
    const char *key;
    json_t *value;
    json_object_foreach(object_at(object, map), key, value)
    {
        size_t size = 0;
        char *bytes = bytes_of(object, key, is_secret, &size);
        payload_add(&self->payload, key, bytes, size, self->mode);
    }
}

static int add_items(
    collection_t *self, const json_t *object, const json_t *source, bool is_secret, err_t *err)
{
    size_t i;
    json_t *item;
    json_array_foreach(object_at(source, "items"), i, item)
    {
        size_t size = 0;
        const char *key = object_string(item, "key");
        char *bytes = bytes_of(object, key, is_secret, &size);
        if (bytes)
            payload_add(
                &self->payload, object_string(item, "path"), bytes, size, mode_of(self, item));
        else if (!object_is_true(source, "optional"))
            return err_set(err, ERR_NOT_FOUND, "references non-existent %s key: %s",
                is_secret ? "secret" : "config", key);
    }
    return 0;
}

static int add_keys(collection_t *self, const json_t *source, bool is_secret, err_t *err)
{
    const char *of_secret = object_string(source, "secretName");
    const char *name = *of_secret ? of_secret : object_string(source, "name");
    const json_t *object =
        store_get(self->subject->pod.store, kind_find(is_secret ? "Secret" : "ConfigMap"),
            object_namespace(self->subject->pod.pod), name);
    if (!object)
        return object_is_true(source, "optional")
                   ? 0
                   : err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found",
                       is_secret ? "secret" : "configmap", name);
    if (object_at(source, "items"))
        return add_items(self, object, source, is_secret, err);
    add_all(self, object, "data", is_secret);
    if (!is_secret)
        add_all(self, object, "binaryData", false);
    return 0;
}

static int add_config_map(collection_t *self, const json_t *source, err_t *err)
{
    return add_keys(self, source, false, err);
}

static int add_secret(collection_t *self, const json_t *source, err_t *err)
{
    return add_keys(self, source, true, err);
}

/* ---- downwardAPI ------------------------------------------------------------------------------
 */

static int add_downward(collection_t *self, const json_t *source, err_t *err)
{
    (void)err;
    size_t i;
    json_t *item;
    json_array_foreach(object_at(source, "items"), i, item)
    {
        const json_t *resource = object_at(item, "resourceFieldRef");
        char *text = resource ? downward_resource(&self->subject->pod, resource, NULL)
                              : downward_field(
                                  &self->subject->pod, object_string(item, "fieldRef.fieldPath"));
        payload_add(
            &self->payload, object_string(item, "path"), text, strlen(text), mode_of(self, item));
    }
    return 0;
}

/* ---- tokens -----------------------------------------------------------------------------------
 */

static int add_token(collection_t *self, const json_t *source, err_t *err)
{
    char *token = volume_token(self->subject, source, self->folder, err);
    if (!token)
        return -ERR_NOT_FOUND;
    payload_add(&self->payload, object_string(source, "path"), token, strlen(token), self->mode);
    return 0;
}

/* ---- projected --------------------------------------------------------------------------------
 */

static int add_projected(collection_t *self, const json_t *source, err_t *err);

static const struct file_source {
    const char *name;
    int (*add)(collection_t *self, const json_t *source, err_t *err);
} file_sources[] = {
    {"configMap", add_config_map},
    {"secret", add_secret},
    {"downwardAPI", add_downward},
    {"projected", add_projected},
    {"serviceAccountToken", add_token},
};

static int add_from(collection_t *self, const json_t *volume, err_t *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(file_sources); i++) {
        const json_t *source = object_at(volume, file_sources[i].name);
        if (source)
            return file_sources[i].add(self, source, err);
    }
    return err_set(err, ERR_INVALID, "no volume plugin matched");
}

static int add_projected(collection_t *self, const json_t *source, err_t *err)
{
    size_t i;
    json_t *part;
    json_array_foreach(object_at(source, "sources"), i, part)
    {
        int rc = add_from(self, part, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

bool volume_has_files(const json_t *volume)
{
    for (size_t i = 0; i < ARRAY_SIZE(file_sources); i++) {
        if (object_at(volume, file_sources[i].name))
            return true;
    }
    return false;
}

static mode_t default_mode(const json_t *volume)
{
    for (size_t i = 0; i < ARRAY_SIZE(file_sources); i++) {
        const json_t *source = object_at(volume, file_sources[i].name);
        if (source)
            return (mode_t)object_integer(source, "defaultMode", DEFAULT_MODE);
    }
    return DEFAULT_MODE;
}

int volume_write_files(const volumes_subject_t *subject, const json_t *volume, err_t *err)
{
    place_t place;
    place_init(&place, subject, volume);
    collection_t collection = {
        .subject = subject, .folder = place.source, .mode = default_mode(volume)};
    int rc = add_from(&collection, volume, err);
    if (rc == 0)
        rc = payload_write(&collection.payload, place.source, place_group(subject->pod.pod), err);
    payload_done(&collection.payload);
    place_done(&place);
    return rc < 0 ? err_wrap(
               err, "MountVolume.SetUp failed for volume \"%s\" ", object_string(volume, "name"))
                  : 0;
}
