/* pod_row - a pod as `kubectl get pods` shows it. */
#ifndef CLUSTER_ENV_KINDS_POD_ROW_H
#define CLUSTER_ENV_KINDS_POD_ROW_H

#include <jansson.h>
#include <time.h>

void pod_row(const json_t *object, time_t now, json_t *cells);

#endif
