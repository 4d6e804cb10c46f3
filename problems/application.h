/* application - what problems need to know of an application: what it is called and loaded by, and
 * which services it has. From apps/NAME/application.yaml and its Kubernetes manifests. */
#ifndef PROBLEMS_APPLICATION_H
#define PROBLEMS_APPLICATION_H

#include "problems/problem.h"

/* What application.yaml says; problems may say otherwise. */
typedef struct application_facts {
    char *namespace;
    char *about;
    problem_load_t *load;
    char **answers; /* requests whose answers show that the data is there */
    uint32_t answer_count;
} application_facts_t;

typedef struct application {
    char *name;
    application_facts_t *facts;
    json_t *objects;     /* name -> labels, of every object of the manifests */
    json_t *deployments; /* the names of those that are Deployments, as an array */
} application_t;

/* ERR_NOT_FOUND names the applications that may be meant; ERR_INVALID says what is wrong where. */
application_t *application_new(const char *apps_dir, const char *name, err_t *err);
void application_destroy(application_t **self_p);

/* Whether there is an object of that name; otherwise the nearest names are in *err. */
int application_check_name(const application_t *self, const char *name, err_t *err);

/* The Deployments with a label such as "tier=back": a new array of names, in the order of their
 * files; NULL with the reason if there is none. */
json_t *application_labelled(const application_t *self, const char *label, err_t *err);

#endif
