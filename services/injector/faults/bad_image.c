/* bad_image: the image's tag is one that no registry has. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

#include <string.h>

static int edit(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    (void)workload;
    (void)err;
    const char *image = json_string_value(json_object_get(container, "image"));
    const char *name = strrchr(image, '/');
    const char *colon = strchr(name ? name : image, ':');
    int length = colon ? (int)(colon - image) : (int)strlen(image);
    json_object_set_new(
        container, "image", json_sprintf("%.*s:%s", length, image, fault_text(work, "tag")));
    return 0;
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return workload_edit(work, target, edit, WORKLOAD_SWAP, err);
}

const fault_kind_t fault_bad_image = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
