/* settings - what an environment is started with: one JSON object from its parent.
 *
 *     {"env": id, "work_dir": folder, "nodes": 3, "seed": 0, "listen_fd": n, "control_fd": n,
 *      "cert": PEM, "key": PEM, "ca": PEM, "token": "…", "agent_token": "…",
 *      "images": […], "bundles": folder, "kubectl": path or "",
 *      "hidden": paths that no container may see,
 *      "backoff_ms": 0, "backoff_max_ms": 0} */
#ifndef CLUSTER_ENV_SETTINGS_H
#define CLUSTER_ENV_SETTINGS_H

#include "base/err.h"

#include <jansson.h>

/* Reads the whole of a descriptor; *settings_p is a new reference. */
int settings_read(int fd, json_t **settings_p, err_t *err);

#endif
