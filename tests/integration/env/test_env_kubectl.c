/* The real kubectl against the API server and the controllers; skipped where there is none. */
#include "tests/integration/env/shell.h"

static const char manifest[] =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
    "  replicas: 2\n  selector: {matchLabels: {app: web}}\n  template:\n"
    "    metadata: {labels: {app: web}}\n    spec:\n      containers:\n"
    "      - {name: nginx, image: 'nginx:1', ports: [{containerPort: 80}]}\n"
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    "spec: {selector: {app: web}, ports: [{port: 80}]}\n";

static int setup(void **state)
{
    int rc = shell_setup(state);
    shell_write(*state, "web.yaml", manifest);
    return rc;
}

static void start_web(shell_t *self)
{
    shell_expect(self, "apply -f web.yaml", "deployment.apps/web created\nservice/web created\n");
    shell_expect(self, "rollout status deploy/web", "deployment \"web\" successfully rolled out");
}

static void apply_tells_created_unchanged_and_configured(void **state)
{
    start_web(*state);
    shell_expect(
        *state, "apply -f web.yaml", "deployment.apps/web unchanged\nservice/web unchanged\n");
    shell_kubectl(*state, "set image deploy/web nginx=nginx:2");
    shell_expect(*state, "apply --dry-run=server -f web.yaml", "web configured (server dry run)");
    shell_expect(*state, "apply -f web.yaml", "deployment.apps/web configured");
}

static void get_prints_what_a_real_server_has_printed(void **state)
{
    start_web(*state);
    shell_expect(*state, "get deploy", "NAME READY UP-TO-DATE AVAILABLE AGE\nweb 2/2 2 2 ");
    shell_expect(*state, "get pods -A -o wide --no-headers", "1/1 Running 0 ");
    shell_expect(*state, "get ep web", "web 10.244.0.9:80,10.244.0.9:80 ");
    shell_expect(
        *state, "get pods -l app=web -o jsonpath={.items[*].status.phase}", "Running Running");
    shell_expect(*state, "get all --no-headers", "replicaset.apps/web-");
    shell_expect(*state, "get pods nope", "Error from server (NotFound): pods \"nope\" not found");
}

static void a_rollout_goes_forth_and_back(void **state)
{
    start_web(*state);
    shell_expect(*state, "set image deploy/web nginx=nginx:2", "deployment.apps/web image updated");
    shell_expect(*state, "rollout status deploy/web", "successfully rolled out");
    shell_expect(*state, "rollout history deploy/web", "1 <none>\n2 <none>\n");
    shell_expect(*state, "rollout undo deploy/web", "deployment.apps/web rolled back");
    shell_expect(*state, "rollout status deploy/web", "successfully rolled out");
    shell_expect(*state, "get deploy web -o jsonpath={..image}", "nginx:1");
    shell_expect(*state, "rollout restart deploy/web", "deployment.apps/web restarted");
}

static void scale_wait_and_delete_end_in_time(void **state)
{
    start_web(*state);
    shell_expect(*state, "scale deploy/web --replicas=4", "deployment.apps/web scaled");
    shell_expect(*state, "wait --for=jsonpath={.status.readyReplicas}=4 deploy/web --timeout=10s",
        "deployment.apps/web condition met");
    shell_expect(*state, "wait --for=condition=Ready pods --all --timeout=10s", "condition met");
    shell_expect(*state, "delete pod --all", "deleted");
    shell_expect(*state, "delete -f web.yaml", "service \"web\" deleted");
    shell_expect(*state, "wait --for=delete pods --all --timeout=10s", "");
    assert_int_equal(((shell_t *)*state)->exit_status, 0);
}

static void describe_finds_everything_it_looks_for(void **state)
{
    start_web(*state);
    shell_expect(*state, "describe deploy web", "NewReplicaSet: web-");
    shell_expect(*state, "describe pod", "IP: 10.244.0.9\n");
    shell_expect(*state, "describe svc web", "Endpoints: 10.244.0.9:80");
    shell_expect(*state, "describe node kind-worker", "Non-terminated Pods: (2 in total)");
    shell_expect(*state, "logs deploy/web", "log of nginx");
}

static void typed_clients_are_understood(void **state)
{
    shell_expect(*state, "create ns shop", "namespace/shop created");
    shell_expect(*state, "create deployment api -n shop --image=redis:7", "apps/api created");
    shell_expect(*state, "create cm c -n shop --from-literal=a=b", "configmap/c created");
    shell_expect(*state, "expose deploy api -n shop --port=80", "service/api exposed");
    shell_expect(*state, "auth can-i delete pods", "yes");
    shell_expect(*state, "delete ns shop", "namespace \"shop\" deleted");
    shell_expect(*state, "get all,cm -n shop", "No resources found in shop namespace.");
}

static void explain_knows_the_types(void **state)
{
    shell_expect(*state, "explain pod.spec.containers", "livenessProbe\t<Probe>");
    shell_expect(*state, "explain deploy --recursive", "maxSurge\t<IntOrString>");
    shell_expect(*state, "explain pod.spec.nosuch", "field \"nosuch\" does not exist");
}

static const char ships[] =
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
    "metadata: {name: ships.sea.example.com}\nspec:\n  group: sea.example.com\n"
    "  scope: Namespaced\n  names: {plural: ships, kind: Ship, shortNames: [sh]}\n"
    "  versions:\n  - name: v1\n    served: true\n    storage: true\n"
    "    subresources: {status: {}}\n"
    "    additionalPrinterColumns: [{name: Sails, type: integer, jsonPath: .spec.sails}]\n"
    "    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties:"
    " {sails: {type: integer, minimum: 1}}}}}}\n";

static const char argo[] = "apiVersion: sea.example.com/v1\nkind: Ship\n"
                           "metadata: {name: argo, finalizers: [example.com/anchor]}\n"
                           "spec: {sails: 2}\n";

static void custom_resources_come_and_go(void **state)
{
    shell_write(*state, "ships.yaml", ships);
    shell_write(*state, "argo.yaml", argo);
    shell_expect(*state, "apply -f ships.yaml", "ships.sea.example.com created");
    shell_expect(*state, "wait --for=condition=Established crd --all", "condition met");
    shell_expect(*state, "apply -f argo.yaml", "ship.sea.example.com/argo created");
    shell_expect(*state, "get sh", "NAME SAILS\nargo 2\n");
    shell_expect(*state, "patch ship argo --type=merge -p '{\"spec\":{\"sails\":0}}'",
        "spec.sails in body should be greater than or equal to 1");
    shell_expect(*state, "explain ship.spec", "sails\t<integer>");
    shell_expect(*state, "apply -f argo.yaml", "ship.sea.example.com/argo unchanged");
    shell_expect(*state, "delete crd ships.sea.example.com --wait=false", "deleted");
    shell_expect(*state, "get ship argo -o jsonpath={.metadata.deletionTimestamp}", "20");
    shell_expect(*state, "patch ship argo --type=merge -p '{\"metadata\":{\"finalizers\":null}}'",
        "ship.sea.example.com/argo patched");
    shell_expect(*state, "wait --for=delete crd ships.sea.example.com", "");
    shell_expect(*state, "get --raw /apis/sea.example.com/v1", "NotFound");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, shell_teardown)
    const struct CMUnitTest tests[] = {
        TEST(apply_tells_created_unchanged_and_configured),
        TEST(get_prints_what_a_real_server_has_printed),
        TEST(a_rollout_goes_forth_and_back),
        TEST(scale_wait_and_delete_end_in_time),
        TEST(describe_finds_everything_it_looks_for),
        TEST(typed_clients_are_understood),
        TEST(explain_knows_the_types),
        TEST(custom_resources_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
