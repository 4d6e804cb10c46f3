/* catalogue - what the data folder offers environments: applications and images. */
#ifndef CLUSTER_CATALOGUE_H
#define CLUSTER_CATALOGUE_H

#include "base/err.h"

#include <jansson.h>

/* The entries of all apps/<app>/images.yaml, as one new array. */
int catalogue_images(const char *data_dir, json_t **images_p, err_t *err);

/* The objects of apps/<app>/kubernetes/, namespaces first, as a new array; namespace_p, for free(),
 * is the one they live in: the first they name, else test-<app>. ERR_NOT_FOUND names the
 * applications that may be meant. */
int catalogue_manifests(
    const char *data_dir, const char *app, json_t **objects_p, char **namespace_p, err_t *err);

/* Whether there is such an application; ERR_NOT_FOUND as above. */
int catalogue_check(const char *data_dir, const char *app, err_t *err);

#endif
