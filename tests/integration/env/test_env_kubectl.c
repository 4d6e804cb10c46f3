/* The real kubectl against the API server and the controllers; skipped where there is none. */
#include "tests/integration/env/server.h"

#include "base/auto.h"
#include "base/mem.h"

#include "tests/support/test.h"

#include <stdlib.h>

enum { OUTPUT_SIZE = 64 << 10 };

static const char manifest[] =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
    "  replicas: 2\n  selector: {matchLabels: {app: web}}\n  template:\n"
    "    metadata: {labels: {app: web}}\n    spec:\n      containers:\n"
    "      - {name: nginx, image: 'nginx:1', ports: [{containerPort: 80}]}\n"
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    "spec: {selector: {app: web}, ports: [{port: 80}]}\n";

typedef struct shell {
    server_t *server;
    char folder[32];
    char output[OUTPUT_SIZE];
    int exit_status;
} shell_t;

static void write_file(const shell_t *self, const char *name, const char *text)
{
    AUTO_FREE char *path = xasprintf("%s/%s", self->folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int setup(void **state)
{
    shell_t *self = xcalloc(1, sizeof(*self));
    strcpy(self->folder, "/tmp/env-kubectl-XXXXXX");
    if (!mkdtemp(self->folder))
        return -1;
    self->server = server_new(self->folder);
    AUTO_FREE char *config =
        xasprintf("apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: '%s',"
                  " certificate-authority: authority.pem}}]\nusers: [{name: u, user: {token:"
                  " operator-token}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
                  "current-context: x\n",
            server_url(self->server));
    write_file(self, "config", config);
    write_file(self, "authority.pem", server_ca(self->server));
    write_file(self, "web.yaml", manifest);
    *state = self;
    return 0;
}

static int teardown(void **state)
{
    shell_t *self = *state;
    AUTO_FREE char *command = xasprintf("rm -r %s", self->folder);
    server_destroy(&self->server);
    free(self);
    return system(command);
}

/* Runs kubectl; what it says on both streams is in self->output, with runs of blanks as one. */
static void kubectl(shell_t *self, const char *arguments)
{
    AUTO_FREE char *command =
        xasprintf("cd %s && HOME=$PWD KUBECONFIG=$PWD/config timeout 30 kubectl %s 2>&1",
            self->folder, arguments);
    size_t length = 0;
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    for (int c = getc(pipe); c != EOF && length < OUTPUT_SIZE - 1; c = getc(pipe)) {
        if (c != ' ' || !length || self->output[length - 1] != ' ')
            self->output[length++] = (char)c;
    }
    self->output[length] = 0;
    self->exit_status = pclose(pipe);
}

static void expect(shell_t *self, const char *arguments, const char *wanted)
{
    kubectl(self, arguments);
    if (!strstr(self->output, wanted))
        fail_msg("kubectl %s said\n%s\nand not\n%s", arguments, self->output, wanted);
}

static void need_kubectl(void)
{
    if (system("command -v kubectl >/dev/null") != 0)
        skip();
}

static void start_web(shell_t *self)
{
    expect(self, "apply -f web.yaml", "deployment.apps/web created\nservice/web created\n");
    expect(self, "rollout status deploy/web", "deployment \"web\" successfully rolled out");
}

static void apply_tells_created_unchanged_and_configured(void **state)
{
    need_kubectl();
    start_web(*state);
    expect(*state, "apply -f web.yaml", "deployment.apps/web unchanged\nservice/web unchanged\n");
    kubectl(*state, "set image deploy/web nginx=nginx:2");
    expect(*state, "apply --dry-run=server -f web.yaml", "web configured (server dry run)");
    expect(*state, "apply -f web.yaml", "deployment.apps/web configured");
}

static void get_prints_what_a_real_server_has_printed(void **state)
{
    need_kubectl();
    start_web(*state);
    expect(*state, "get deploy", "NAME READY UP-TO-DATE AVAILABLE AGE\nweb 2/2 2 2 ");
    expect(*state, "get pods -A -o wide --no-headers", "1/1 Running 0 ");
    expect(*state, "get ep web", "web 10.244.0.9:80,10.244.0.9:80 ");
    expect(*state, "get pods -l app=web -o jsonpath={.items[*].status.phase}", "Running Running");
    expect(*state, "get all --no-headers", "replicaset.apps/web-");
    expect(*state, "get pods nope", "Error from server (NotFound): pods \"nope\" not found");
}

static void a_rollout_goes_forth_and_back(void **state)
{
    need_kubectl();
    start_web(*state);
    expect(*state, "set image deploy/web nginx=nginx:2", "deployment.apps/web image updated");
    expect(*state, "rollout status deploy/web", "successfully rolled out");
    expect(*state, "rollout history deploy/web", "1 <none>\n2 <none>\n");
    expect(*state, "rollout undo deploy/web", "deployment.apps/web rolled back");
    expect(*state, "rollout status deploy/web", "successfully rolled out");
    expect(*state, "get deploy web -o jsonpath={..image}", "nginx:1");
    expect(*state, "rollout restart deploy/web", "deployment.apps/web restarted");
}

static void scale_wait_and_delete_end_in_time(void **state)
{
    need_kubectl();
    start_web(*state);
    expect(*state, "scale deploy/web --replicas=4", "deployment.apps/web scaled");
    expect(*state, "wait --for=jsonpath={.status.readyReplicas}=4 deploy/web --timeout=10s",
        "deployment.apps/web condition met");
    expect(*state, "wait --for=condition=Ready pods --all --timeout=10s", "condition met");
    expect(*state, "delete pod --all", "deleted");
    expect(*state, "delete -f web.yaml", "service \"web\" deleted");
    expect(*state, "wait --for=delete pods --all --timeout=10s", "");
    assert_int_equal(((shell_t *)*state)->exit_status, 0);
}

static void describe_finds_everything_it_looks_for(void **state)
{
    need_kubectl();
    start_web(*state);
    expect(*state, "describe deploy web", "NewReplicaSet: web-");
    expect(*state, "describe pod", "IP: 10.244.0.9\n");
    expect(*state, "describe svc web", "Endpoints: 10.244.0.9:80");
    expect(*state, "describe node kind-worker", "Non-terminated Pods: (2 in total)");
    expect(*state, "logs deploy/web", "log of nginx");
}

static void typed_clients_are_understood(void **state)
{
    need_kubectl();
    expect(*state, "create ns shop", "namespace/shop created");
    expect(*state, "create deployment api -n shop --image=redis:7", "apps/api created");
    expect(*state, "create cm c -n shop --from-literal=a=b", "configmap/c created");
    expect(*state, "expose deploy api -n shop --port=80", "service/api exposed");
    expect(*state, "auth can-i delete pods", "yes");
    expect(*state, "delete ns shop", "namespace \"shop\" deleted");
    expect(*state, "get all,cm -n shop", "No resources found in shop namespace.");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(apply_tells_created_unchanged_and_configured),
        TEST(get_prints_what_a_real_server_has_printed),
        TEST(a_rollout_goes_forth_and_back),
        TEST(scale_wait_and_delete_end_in_time),
        TEST(describe_finds_everything_it_looks_for),
        TEST(typed_clients_are_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
