/* template_hash - the letters by which revisions of a pod template are told apart. */
#ifndef CLUSTER_ENV_CONTROLLERS_TEMPLATE_HASH_H
#define CLUSTER_ENV_CONTROLLERS_TEMPLATE_HASH_H

#include <jansson.h>
#include <stdint.h>

enum { TEMPLATE_HASH_SIZE = 16 };

/* FNV-1a of the template, written in letters that form no words, as Kubernetes does; salt is the
 * number of collisions until now. */
void template_hash(const json_t *template, int64_t salt, char hash[TEMPLATE_HASH_SIZE]);

#endif
