/* image - what an image name stands for: a bundle of programs and how to start them. */
#ifndef CLUSTER_ENV_KUBELET_IMAGE_H
#define CLUSTER_ENV_KUBELET_IMAGE_H

#include <jansson.h>
#include <stdbool.h>

typedef struct images images_t;

/* list is the array `images` of the images.yaml files; bundles the folder of bundles. */
images_t *images_new(const json_t *list, const char *bundles);
void images_destroy(images_t **self_p);

/* The entry of an image, {image, bundle, entrypoint, command, env, working_dir}, borrowed; NULL if
 * it cannot be pulled. A name without tag means ":latest", and "docker.io/library/" may be left
 * out. */
const json_t *images_find(const images_t *self, const char *name);

/* Whether it has the form of an image name: lower-case parts, a tag, a digest. */
bool images_is_name(const char *name);

/* The name in full, as errors call it: "docker.io/library/redis:7.0"; for free(). */
char *images_reference(const char *name);

/* Bytes of the image's own programs. */
int64_t images_size(const images_t *self, const json_t *image);

/* The folder of an image's programs, for free(); NULL if it runs the distribution's. */
char *images_bundle(const images_t *self, const json_t *image);

#endif
