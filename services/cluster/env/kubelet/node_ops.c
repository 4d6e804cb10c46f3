/* What the API server asks: logs, commands, requests to pods, metrics. */
#include "services/cluster/env/kubelet/internal.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <string.h>

enum { EXEC_TIMEOUT_MS = 60000, EXEC_OUTPUT_LIMIT = 16 << 20, PROXY_TIMEOUT_MS = 30000 };

pod_t *kubelet_find_pod(kubelet_t *self, const json_t *pod_object)
{
    AUTO_FREE char *key = xasprintf("%s/%s", object_namespace(pod_object), object_name(pod_object));
    return zhashx_lookup(self->pods, key);
}

pod_container_t *kubelet_find_container(
    kubelet_t *self, const json_t *pod_object, const char *container)
{
    pod_t *pod = kubelet_find_pod(self, pod_object);
    return pod ? pod_container(pod, container) : NULL;
}

/* ---- log ---------------------------------------------------------------------------------------
 */

static void answer_log(void *arg, const node_log_t *query, node_reply_t *reply)
{
    pod_container_t *container = kubelet_find_container(arg, query->pod, query->container);
    container_log_t *log =
        container ? query->is_previous ? container->previous_log : container->log : NULL;
    if (container && query->is_previous && !container->process && container->last_state)
        log = container->log; /* the last run is over, the next has not begun */
    if (log) {
        container_log_answer(log, query, reply);
        return;
    }
    AUTO_FREE char *text =
        query->is_previous
            ? xasprintf("previous terminated container \"%s\" in pod \"%s\" "
                        "not found",
                query->container, object_name(query->pod))
            : xasprintf("container \"%s\" in pod \"%s\" is waiting to start: %s", query->container,
                object_name(query->pod),
                container && container->reason ? container->reason : "ContainerCreating");
    node_reply_fail(&reply, ERR_INVALID, text);
}

/* ---- exec --------------------------------------------------------------------------------------
 */

typedef struct question {
    node_reply_t *reply;
    command_t *command; /* of an exec */
    http_t *http;       /* of a proxied request */
    int http_id;
} question_t;

static void on_question_cancelled(void *arg)
{
    question_t *question = arg;
    command_destroy(&question->command);
    if (question->http)
        http_cancel(question->http, question->http_id);
    free(question);
}

static void on_command(void *arg, const command_result_t *result)
{
    question_t *question = arg;
    node_reply_write(question->reply, result->output, result->output_size);
    node_reply_exit(&question->reply, result->exit_code);
    free(question);
}

static void answer_exec(void *arg, const node_exec_t *exec, node_reply_t *reply)
{
    pod_container_t *container = kubelet_find_container(arg, exec->pod, exec->container);
    if (!container || !container->process) {
        node_reply_fail(&reply, ERR_INVALID, "container not found or not running");
        return;
    }
    command_config_t config = {.argv = (char *const *)exec->argv,
        .envp = container->launch.envp,
        .timeout_ms = EXEC_TIMEOUT_MS,
        .output_limit = EXEC_OUTPUT_LIMIT};
    err_t err = {0};
    question_t *question = xcalloc(1, sizeof(*question));
    question->reply = reply;
    question->command = command_start(container->process, &config, on_command, question, &err);
    if (!question->command) {
        free(question);
        node_reply_fail(&reply, ERR_IO, err.text);
        return;
    }
    node_reply_on_cancel(reply, on_question_cancelled, question);
}

/* ---- proxy -------------------------------------------------------------------------------------
 */

static void on_answer(void *arg, const http_answer_t *answer)
{
    question_t *question = arg;
    if (answer->err) {
        node_reply_fail(&question->reply,
            answer->err->code == ERR_TIMEOUT ? ERR_TIMEOUT : ERR_UNAVAILABLE, answer->err->text);
    } else {
        node_reply_head(question->reply, answer->status, answer->content_type);
        node_reply_write(question->reply, answer->body, answer->size);
        node_reply_end(&question->reply);
    }
    free(question);
}

static void answer_http(void *arg, const node_http_t *http, node_reply_t *reply)
{
    kubelet_t *self = arg;
    AUTO_FREE char *url = xasprintf(
        "%s://%s:%d%s", http->is_tls ? "https" : "http", http->address, http->port, http->path);
    http_request_t request = {
        .method = http->method,
        .url = url,
        .content_type = http->content_type,
        .body = http->body,
        .body_size = http->body_size,
        .timeout_ms = PROXY_TIMEOUT_MS,
    };
    question_t *question = xcalloc(1, sizeof(*question));
    *question = (question_t){.reply = reply, .http = self->proxy};
    question->http_id = http_send(self->proxy, &request, on_answer, question);
    node_reply_on_cancel(reply, on_question_cancelled, question);
}

/* ---- metrics -----------------------------------------------------------------------------------
 */

static void answer_metrics(void *arg, const char *node, const char *path, node_reply_t *reply)
{
    kubelet_t *self = arg;
    if (nodes_index(self, node) < 0 || strcmp(path, "/metrics/cadvisor") != 0) {
        node_reply_fail(&reply, ERR_NOT_FOUND, "404 page not found");
        return;
    }
    size_t size = 0;
    AUTO_FREE char *text = metrics_text(self, node, &size);
    node_reply_head(reply, 200, "text/plain; version=0.0.4; charset=utf-8");
    node_reply_write(reply, text, size);
    node_reply_end(&reply);
}

bool kubelet_read_usage(void *arg, const json_t *pod, const char *name, usage_reading_t *reading)
{
    const pod_container_t *container = kubelet_find_container(arg, pod, name);
    cgroup_usage_t usage;
    if (!container || !container->process || !container_read_usage(container->process, &usage))
        return false;
    *reading = (usage_reading_t){.cpu_ns = usage.cpu_ns,
        .memory_bytes = usage.working_set_bytes,
        .age_ms = ((int64_t)time(NULL) - (int64_t)container->started_at) * 1000};
    return true;
}

const node_ops_t *kubelet_node_ops(void)
{
    static const node_ops_t ops = {.log = answer_log,
        .exec = answer_exec,
        .refuse = live_refuse,
        .live = live_open,
        .dial = live_dial,
        .http = answer_http,
        .metrics = answer_metrics};
    return &ops;
}
