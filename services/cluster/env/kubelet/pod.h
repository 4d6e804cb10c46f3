/* pod - one pod on its node: from bound to gone. Private to the kubelet. */
#ifndef CLUSTER_ENV_KUBELET_POD_H
#define CLUSTER_ENV_KUBELET_POD_H

#include "services/cluster/env/kubelet/container_log.h"
#include "services/cluster/env/kubelet/hook.h"
#include "services/cluster/env/kubelet/image.h"
#include "services/cluster/env/kubelet/launch.h"
#include "services/cluster/env/kubelet/live.h"
#include "services/cluster/env/kubelet/probe.h"
#include "services/cluster/env/kubelet/volumes.h"
#include "services/cluster/env/store.h"
#include "services/cluster/runtime/runtime.h"

#include "http/http.h"
#include <time.h>

typedef enum { CONTAINER_WAITING, CONTAINER_RUNNING, CONTAINER_TERMINATED } container_state_t;

/* What pods share. */
typedef struct pod_context {
    ev_t *ev;
    store_t *store;
    runtime_t *runtime;
    images_t *images;
    zhashx_t *pulled; /* "node image": images that a node has */
    http_t *http;     /* for probes */
    tokens_t *tokens; /* of ServiceAccounts */
    const char *work_dir;
    int64_t backoff_ms;
    int64_t backoff_max_ms;
} pod_context_t;

typedef struct pod pod_t;

/* A container of a pod, over all its runs. */
typedef struct pod_container {
    pod_t *pod;
    bool is_init;
    bool is_ephemeral; /* added to a running pod, to look into it */
    bool is_sidecar;   /* an init container that stays: restartPolicy Always */
    const char *name;  /* borrowed from spec */
    json_t *spec;

    container_state_t state;
    char *reason;  /* of waiting or terminated; or NULL */
    char *message; /* or NULL */
    time_t started_at, finished_at;
    container_exit_t exit;
    json_t *last_state; /* terminated {…} of the run before, or NULL */
    int64_t restarts;

    bool has_run;

    launch_t launch;      /* of this run */
    container_t *process; /* NULL unless running */
    int output_fd;        /* -1 unless open */
    attachments_t attachments;
    container_log_t *log; /* of this run, and of the last one when waiting */
    container_log_t *previous_log;

    hook_t *hook;     /* postStart or preStop under way, or NULL */
    bool is_stopping; /* asked to end */
    int64_t stop_by;  /* by the loop's clock, when stopping */
    int retry_timer;
    int kill_timer;
    int64_t backoff_ms; /* before the next restart; 0: at once */

    probe_t *startup, *readiness, *liveness;
    bool is_started; /* the startup probe has passed */
    bool is_ready;
} pod_container_t;

struct pod {
    pod_context_t *context; /* borrowed */
    json_t *object;         /* as stored last */
    struct in_addr address;
    char address_text[16];
    const char *host_address; /* of its node */
    sandbox_t *sandbox;       /* NULL until set up */
    time_t started_at;
    pod_container_t *init_containers;
    size_t init_count;
    pod_container_t *containers;
    size_t container_count;
    pod_container_t **ephemeral; /* each stays where it is when others are added */
    size_t ephemeral_count;
    size_t init_done; /* how many have succeeded or, being sidecars, started */
    bool is_deaf;
    bool is_ending;
    int64_t end_by;        /* by the loop's clock, when ending */
    const char *failure;   /* why it was ended for good, such as "Evicted" (static), or NULL */
    char *failure_message; /* with it */
    int deadline_timer;    /* activeDeadlineSeconds */
    int limits_timer;      /* a look at the sizes of volumes is due */
    int setup_timer;
    int status_timer; /* a status write is due */
};

/* Takes a pod that was just bound; address is its own. The pod starts at once. */
pod_t *pod_new(
    pod_context_t *context, json_t *object, struct in_addr address, const char *host_address);
/* Ends what runs, without a word to the store. */
void pod_destroy(pod_t **self_p);

/* The stored object changed. */
void pod_update(pod_t *self, json_t *object);

/* A pod whose node's kubelet is stopped neither reports nor follows its object. */
void pod_set_deaf(pod_t *self, bool is_deaf);

/* Asked to go: runs hooks and signals, and removes the object from the store once all have ended.
 */
void pod_end(pod_t *self);

/* Ends its containers and makes it Failed, for good: evictions and deadlines. reason is static. */
void pod_fail(pod_t *self, const char *reason, const char *message);

/* What its volumes were made from has changed. */
void pod_refresh(pod_t *self);

/* What may be known of it, and where its volumes are; borrowed from it. */
downward_t pod_downward(const pod_t *self);
volumes_subject_t pod_volumes(const pod_t *self);

/* Its container of that name, init containers included, or NULL. */
pod_container_t *pod_container(pod_t *self, const char *name);

const char *pod_node(const pod_t *self);

/* ---- parts of pod, in files of their own
 * --------------------------------------------------------- */

/* container_run.c: one container. */
void container_run_init(pod_container_t *self, pod_t *pod, json_t *spec, bool is_init);
void container_run_done(pod_container_t *self);
/* Waits, for a reason that the status tells; message may be NULL. */
void container_run_wait(pod_container_t *self, const char *reason, const char *message);
/* Starts it again after a while, or after the next, longer back-off. */
void container_run_retry_after(pod_container_t *self, int64_t delay_ms);
void container_run_retry(pod_container_t *self);
/* A run began; takes the process and the descriptors of its streams. */
void container_run_started(pod_container_t *self, container_t *process, const streams_t *streams);
/* Its process ended: a container_exit_fn, with the container as its argument. */
void container_run_exited(void *arg, const container_exit_t *exit);
/* A run ended before it began. */
void container_run_failed_to_start(pod_container_t *self, const char *message);
/* The preStop hook, SIGTERM, and SIGKILL when the grace is over; again, to shorten it. */
void container_run_stop(pod_container_t *self, int64_t grace_ms);
/* After an exit; false when the pod's policy leaves it at that. */
bool container_run_restart(pod_container_t *self);
/* Whether it will be started again after its last exit. */
bool container_run_may_restart(const pod_container_t *self);
/* {"terminated": {…}} of the run that ended last; new reference. */
json_t *container_run_terminated(const pod_container_t *self);

/* container_start.c: pulls the image and begins a run, or says why not and tries again. */
void container_start_run(pod_container_t *self);

/* container_end.c: how a container is stopped, and what it left to say. */
void container_end_hook_failed(pod_container_t *self);
/* The termination message of a run that just ended, for free(); NULL if there is none. */
char *container_end_message(const pod_container_t *self, const container_exit_t *exit);

/* What probes and hooks ask of it. */
probe_subject_t container_run_subject(const pod_container_t *self, const json_t *spec);

/* pod_end.c: one container less runs in a pod that is ending or done. */
void pod_end_step(pod_t *self);

/* pod.c: told by container_run.c. */
void pod_on_container_started(pod_t *self, pod_container_t *container);
void pod_on_container_changed(pod_t *self);
void pod_on_container_exited(pod_t *self, pod_container_t *container);

/* pod_ephemeral.c: takes those that the object has more of, and starts all that have not begun. */
void pod_start_ephemeral(pod_t *self);
pod_container_t *pod_ephemeral(const pod_t *self, const char *name);

/* pod_status.c: the status object as it should be now; new reference. */
json_t *pod_status(const pod_t *self);

/* events about the pod; container NULL: about the pod as a whole. */
void pod_event(const pod_t *self, const pod_container_t *container, const char *type,
    const char *reason, const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
