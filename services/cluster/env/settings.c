#include "services/cluster/env/settings.h"

#include "base/auto.h"

#include <stdio.h>
#include <unistd.h>

static const struct need {
    const char *name;
    json_type type;
} needs[] = {
    {"env", JSON_STRING},
    {"work_dir", JSON_STRING},
    {"nodes", JSON_INTEGER},
    {"listen_fd", JSON_INTEGER},
    {"control_fd", JSON_INTEGER},
    {"cert", JSON_STRING},
    {"key", JSON_STRING},
    {"ca", JSON_STRING},
    {"token", JSON_STRING},
    {"agent_token", JSON_STRING},
    {"images", JSON_ARRAY},
    {"bundles", JSON_STRING},
    {"kubectl", JSON_STRING},
    {"hidden", JSON_ARRAY},
};

int settings_read(int fd, json_t **settings_p, err_t *err)
{
    json_error_t error;
    json_auto_t *settings = json_loadfd(fd, 0, &error);
    if (!settings)
        return err_set(err, ERR_INVALID, "settings: %s", error.text);
    for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
        const json_t *value = json_object_get(settings, needs[i].name);
        if (!value || json_typeof(value) != needs[i].type)
            return err_set(err, ERR_INVALID, "settings: '%s' is missing", needs[i].name);
    }
    *settings_p = json_incref(settings);
    return 0;
}
