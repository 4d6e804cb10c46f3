/* Each fault of the library in a real environment: its symptom comes, it is in force, and recovery
 * leaves the objects as they were. One environment for all. */
#include "base/auto.h"
#include "base/mem.h"
#include "kube/kube.h"
#include "tests/e2e/session/lab.h"

#include <sys/wait.h>
#include <unistd.h>

enum { CALL_MS = 120000, SYMPTOM_MS = 90000 };

static const char namespace[] = "test-hotel-reservation";
static const char env[] = "env-faults";

static lab_t *lab;
static kube_t *kube;

/* ---- asking ------------------------------------------------------------------------------- */

static void *ask(
    const char *target, const codec_type_t *type, const void *message, const codec_type_t *expected)
{
    void *reply = NULL;
    err_t err = {0};
    bus_call_t call = {.target = target, .type = type, .message = message, .timeout_ms = CALL_MS};
    if (bus_call(lab->bus, &call, expected, &reply, &err) < 0)
        fail_msg("%s: %s", target, err.text);
    return reply;
}

/* The state of a fault after a request about it; fails the test with its reason if it is not as
 * wanted. */
static void expect_state(const codec_type_t *type, const void *message, const char *state)
{
    fault_status_t *status = ask("injector", type, message, &fault_status_type);
    if (strcmp(status->state, state) != 0)
        fail_msg("%s is '%s': %s", status->fault, status->state, status->reason);
    codec_free(&fault_status_type, status);
}

static void expect_alive(const char *id, const char *state)
{
    expect_state(&fault_check_type, &(fault_check_t){id}, state);
}

static void expect_recovery(const char *id)
{
    expect_state(&fault_recover_type, &(fault_recover_t){id}, "recovered");
}

/* parameters: JSON with ' for ". */
static json_t *parsed(const char *text)
{
    AUTO_FREE char *json = xstrdup(text);
    for (char *at = json; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json_t *object = json_loads(json, 0, NULL);
    assert_non_null(object);
    return object;
}

static fault_inject_t fault_of(
    const char *id, const char *fault, char **target, const json_t *parameters)
{
    return (fault_inject_t){.fault_id = id,
        .fault = fault,
        .env = env,
        .namespace = namespace,
        .targets = {.items = target, .count = 1},
        .params = (json_t *)parameters};
}

static void inject(const char *id, const char *fault, const char *target, const char *parameters)
{
    json_auto_t *json = parsed(parameters);
    char *targets[] = {(char *)target};
    fault_inject_t message = fault_of(id, fault, targets, json);
    expect_state(&fault_inject_type, &message, "active");
}

/* ---- looking ------------------------------------------------------------------------------ */

/* An object's specification as text, without what it was given for a restart; "" if it is gone. For
 * free(). */
static char *spec_of(const char *kind, const char *name)
{
    json_auto_t *object = NULL;
    err_t err = {0};
    if (kube_call(kube, kube_get(KUBE(kind, namespace, name)), &object, &err) < 0)
        return xstrdup(err.code == ERR_NOT_FOUND ? "" : err.text);
    json_t *spec = json_object_get(object, "spec");
    return json_dumps(spec ? spec : json_object_get(object, "rules"), JSON_SORT_KEYS);
}

/* Whether the text of the objects has a part; one that begins with '!' must not be in there. */
static bool has_text(void *arg, const json_t *objects, err_t *why)
{
    const char *wanted = arg;
    AUTO_FREE char *text = json_dumps(objects, JSON_COMPACT);
    bool is_there = strstr(text, wanted + (*wanted == '!')) != NULL;
    (void)err_set(why, ERR_TIMEOUT, "'%s' is not so: %.180s", wanted, text);
    return is_there == (*wanted != '!');
}

/* Whether it is so within the time. label: of io.kompose.service, or NULL. */
static bool comes(const char *kind, const char *label, const char *text, int64_t within_ms)
{
    err_t err = {0};
    AUTO_FREE char *selector = label ? xasprintf("io.kompose.service=%s", label) : NULL;
    int rc = kube_wait_call(
        kube, KUBE(kind, namespace, NULL), selector, has_text, (char *)text, within_ms, &err);
    if (rc < 0 && within_ms > 1000)
        print_error("%s\n", err.text);
    return rc == 0;
}

/* ---- every fault --------------------------------------------------------------------------- */

typedef struct scene {
    const char *fault;
    const char *target;
    const char *parameters;
    const char *struck; /* kind of object that is changed */
    const char *kind;   /* where the symptom is seen: in objects of this kind */
    const char *label;  /* with this value of io.kompose.service; NULL: all */
    const char *symptom;
} scene_t;

static const scene_t scenes[] = {
    {"wrong_target_port", "rate", "{}", "Service", "Endpoints", "rate", "\"port\":9999"},
    {"wrong_selector", "rate", "{}", "Service", "Endpoints", "rate", "!\"addresses\""},
    {"service_removed", "rate", "{}", "Service", "Service", "rate", "!rate"},
    {"scaled_to_zero", "user", "{}", "Deployment", "Pod", "user", "!user"},
    {"nonexistent_node", "geo", "{}", "Deployment", "Pod", "geo", "Unschedulable"},
    {"bad_image", "rate", "{}", "Deployment", "Pod", "rate", "ErrImagePull"},
    {"wrong_command", "search", "{}", "Deployment", "Pod", "search", "StartError"},
    {"wrong_env", "geo", "{'name': 'MONGODB_GEO_ADDRESS', 'value': 'mongodb-geo:1'}", "Deployment",
        "Pod", "geo", "\"exitCode\":1"},
    {"missing_env", "rate", "{'name': 'OTEL_EXPORTER_OTLP_ENDPOINT'}", "Deployment", "Pod", "rate",
        "!OTEL_EXPORTER"},
    {"bad_readiness_probe", "user", "{}", "Deployment", "Endpoints", "user", "!\"addresses\""},
    {"bad_liveness_probe", "search", "{}", "Deployment", "Pod", "search", "\"restartCount\":1"},
    {"bad_startup_probe", "profile", "{}", "Deployment", "Pod", "profile", "\"restartCount\":1"},
    {"low_cpu_limit", "geo", "{}", "Deployment", "Pod", "geo", "\"cpu\":\"5m\""},
    {"stuck_rollout", "rate", "{'deadline': 1}", "Deployment", "Deployment", "rate",
        "ProgressDeadlineExceeded"},
    {"hanging_init_container", "user", "{}", "Deployment", "Pod", "user", "PodInitializing"},
    {"affinity_deadlock", "search", "{}", "Deployment", "Pod", "search", "Unschedulable"},
    {"unbindable_volume", "profile", "{}", "Deployment", "Pod", "profile", "Unschedulable"},
    {"misconfig_app", "geo", "{}", "Deployment", "Pod", "geo", "\"exitCode\":1"},
    {"rbac_denial", "reader", "{}", "Role", "Role", NULL, "\"rules\":[]"},
    {"node_cordon", "kind-worker", "{}", "Node", "Node", NULL, "\"unschedulable\":true"},
    {"node_taint", "kind-worker", "{}", "Node", "Node", NULL, "maintenance"},
};

static void play(const scene_t *scene)
{
    AUTO_FREE char *id = xasprintf("f-%s", scene->fault);
    AUTO_FREE char *before = spec_of(scene->struck, scene->target);
    assert_string_not_equal(before, "");
    if (comes(scene->kind, scene->label, scene->symptom, 1))
        fail_msg("%s: the symptom is there before the fault", scene->fault);
    inject(id, scene->fault, scene->target, scene->parameters);
    if (!comes(scene->kind, scene->label, scene->symptom, SYMPTOM_MS))
        fail_msg("%s has no symptom", scene->fault);
    expect_alive(id, "active");
    expect_recovery(id);
    AUTO_FREE char *after = spec_of(scene->struck, scene->target);
    assert_string_equal(after, before);
}

static void every_fault_shows_and_is_undone(void **state)
{
    (void)state;
    json_auto_t *role = parsed(
        "{'apiVersion': 'rbac.authorization.k8s.io/v1', 'kind': 'Role', 'metadata': {'name': "
        "'reader', 'namespace': 'test-hotel-reservation'}, 'rules': [{'apiGroups': [''], "
        "'resources': ['pods'], 'verbs': ['get']}]}");
    assert_int_equal(kube_call(kube, kube_create(role), NULL, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
        int64_t began = ev_now(lab->ev);
        play(&scenes[i]);
        print_message("%-24s %5lld ms\n", scenes[i].fault, (long long)(ev_now(lab->ev) - began));
    }
}

static void the_application_is_well_after_all_that(void **state)
{
    (void)state;
    err_t err = {0};
    if (kube_wait_call(kube, KUBE("Deployment", namespace, NULL), NULL, kube_deployments_are_ready,
            NULL, SYMPTOM_MS, &err)
        < 0)
        fail_msg("%s", err.text);
}

/* ---- several at once ----------------------------------------------------------------------- */

static void faults_on_one_object_are_undone_in_any_order(void **state)
{
    (void)state;
    AUTO_FREE char *before = spec_of("Service", "geo");
    inject("one", "wrong_target_port", "geo", "{'port': 1001}");
    inject("two", "wrong_target_port", "geo", "{'port': 1002}");
    inject("three", "wrong_selector", "geo", "{}");
    expect_recovery("one");
    expect_alive("two", "active");
    expect_recovery("three");
    expect_recovery("two");
    AUTO_FREE char *after = spec_of("Service", "geo");
    assert_string_equal(after, before);
}

static void what_somebody_deleted_comes_back(void **state)
{
    (void)state;
    AUTO_FREE char *before = spec_of("Service", "geo");
    inject("deleted", "wrong_target_port", "geo", "{}");
    assert_int_equal(
        kube_call(kube, kube_delete(KUBE("Service", namespace, "geo"), -1), NULL, NULL), 0);
    expect_alive("deleted", "repaired");
    expect_recovery("deleted");
    AUTO_FREE char *after = spec_of("Service", "geo");
    assert_string_equal(after, before);
}

static void a_killed_injector_recovers_what_it_did(void **state)
{
    (void)state;
    AUTO_FREE char *before = spec_of("Service", "user");
    inject("killed", "wrong_target_port", "user", "{}");
    lab_kill(lab, "injector");
    lab_start(lab, "injector");
    expect_alive("killed", "active");
    expect_recovery("killed");
    AUTO_FREE char *after = spec_of("Service", "user");
    assert_string_equal(after, before);
}

static void a_length_ends_a_fault(void **state)
{
    (void)state;
    AUTO_FREE char *before = spec_of("Service", "user");
    char *targets[] = {(char *)"user"};
    fault_inject_t message = fault_of("short", "wrong_target_port", targets, NULL);
    message.after_ms = 100;
    message.for_ms = 500;
    message.every_ms = 1000;
    message.times = 2;
    expect_state(&fault_inject_type, &message, "scheduled");
    assert_true(comes("Service", "user", "9999", SYMPTOM_MS));
    assert_true(comes("Service", "user", "!9999", SYMPTOM_MS));
    assert_true(comes("Service", "user", "9999", SYMPTOM_MS));
    assert_true(comes("Service", "user", "!9999", SYMPTOM_MS));
    AUTO_FREE char *after = spec_of("Service", "user");
    assert_string_equal(after, before);
}

/* ---- by hand ------------------------------------------------------------------------------- */

/* What the command prints to both streams, without its last line's end; for free(). */
static char *command(const char *arguments, int status)
{
    AUTO_FREE char *line = xasprintf("%s/aiopslab %s 2>&1", getenv("AIOPSLAB_BIN"), arguments);
    FILE *pipe = popen(line, "re");
    char text[4096];
    size_t size = fread(text, 1, sizeof(text) - 1, pipe);
    text[size - (size && text[size - 1] == '\n')] = '\0';
    int ended = pclose(pipe);
    if (WEXITSTATUS(ended) != status)
        fail_msg("aiopslab %s: %d: %s", arguments, WEXITSTATUS(ended), text);
    return xstrdup(text);
}

static void a_person_injects_and_recovers(void **state)
{
    (void)state;
    AUTO_FREE char *before = spec_of("Service", "rate");
    AUTO_FREE char *id = command("inject wrong_target_port -e env-faults -t rate -p port=7", 0);
    assert_true(comes("Service", "rate", "\"targetPort\":7,", SYMPTOM_MS));
    AUTO_FREE char *other = command("inject wrong_selector -e env-faults -t random:role:cache", 0);
    AUTO_FREE char *recover_it = xasprintf("recover %s", id);
    AUTO_FREE char *recovered = command(recover_it, 0);
    AUTO_FREE char *told = xasprintf("%s recovered", id);
    assert_string_equal(recovered, told);
    AUTO_FREE char *all = command("recover --all -e env-faults", 0);
    AUTO_FREE char *told_all = xasprintf("%s recovered", other);
    assert_string_equal(all, told_all);
    AUTO_FREE char *after = spec_of("Service", "rate");
    assert_string_equal(after, before);
}

static void a_target_that_is_not_there_is_told(void **state)
{
    (void)state;
    AUTO_FREE char *text = command("inject wrong_target_port -e env-faults -t raet", 1);
    assert_string_equal(text, "aiopslab: the fault is 'failed': there is no service "
                              "'raet' in namespace 'test-hotel-reservation'; did you mean 'rate'?");
}

/* ---- the stage ----------------------------------------------------------------------------- */

static int set_up(void **state)
{
    lab_set_up((void **)&lab);
    env_create_t message = {.env = env, .app = "hotel-reservation"};
    env_info_t *info = ask("cluster", &env_create_type, &message, &env_info_type);
    kube_config_t config = {.server = info->server, .token = info->token, .ca_pem = info->ca};
    kube = kube_new(NULL, &config, NULL);
    codec_free(&env_info_type, info);
    *state = lab;
    return kube ? 0 : -1;
}

static int tear_down(void **state)
{
    kube_destroy(&kube);
    return lab_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_shows_and_is_undone),
        cmocka_unit_test(the_application_is_well_after_all_that),
        cmocka_unit_test(faults_on_one_object_are_undone_in_any_order),
        cmocka_unit_test(what_somebody_deleted_comes_back),
        cmocka_unit_test(a_killed_injector_recovers_what_it_did),
        cmocka_unit_test(a_length_ends_a_fault),
        cmocka_unit_test(a_person_injects_and_recovers),
        cmocka_unit_test(a_target_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
