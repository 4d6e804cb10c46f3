/* checks - validation that kinds share, in the words of apimachinery's and core's validation. */
#ifndef CLUSTER_ENV_KINDS_CHECKS_H
#define CLUSTER_ENV_KINDS_CHECKS_H

#include "services/cluster/env/causes.h"

#include <jansson.h>
#include <stdbool.h>

typedef enum {
    NAME_SUBDOMAIN, /* RFC 1123: web.example-1 */
    NAME_LABEL,     /* RFC 1123 without dots: namespaces, containers */
    NAME_SERVICE,   /* RFC 1035: a Service's name starts with a letter */
    NAME_PATH,      /* whatever can be one part of a URL's path: roles and bindings */
} name_form_t;

/* Whether a text has the form of a name; why not (static) goes to *why_p, which may be NULL. */
bool name_is_valid(const char *name, name_form_t form, const char **why_p);

/* Adds what is wrong with a name at field. */
void check_name(causes_t *causes, const char *field, const char *name, name_form_t form);

/* Name, labels, annotations and owner references. */
void check_metadata(causes_t *causes, const json_t *object, name_form_t form);

/* A map of labels at field. */
void check_labels(causes_t *causes, const char *field, const json_t *labels);

/* A pod's spec at field ("spec", "spec.template.spec"). is_template: restartPolicy must be
 * Always. */
void check_pod_spec(causes_t *causes, const char *field, const json_t *spec, bool is_template);

/* Containers at a field such as "spec.initContainers", and that no two have the same name; volumes
 * are those that they may mount. */
void check_containers(
    causes_t *causes, const char *field, const json_t *containers, const json_t *volumes);

/* A pod's ephemeral containers, which are added to one that exists (old) and then stay. */
void check_ephemeral(causes_t *causes, const json_t *pod, const json_t *old);

/* Selector and template of a Deployment or ReplicaSet, replicas, and what may not change. */
void check_workload(causes_t *causes, const json_t *object, const json_t *old);

/* Keys of a ConfigMap's or Secret's data and that an immutable one stays as it is. */
void check_data(causes_t *causes, const json_t *object, const json_t *old);

/* A port number at field. */
void check_port(causes_t *causes, const char *field, const json_t *port);

#endif
