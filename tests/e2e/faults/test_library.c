/* Each fault of the library in a real environment: its symptom comes, it is in force, and recovery
 * leaves the objects as they were. One environment for all. */
#include "base/auto.h"
#include "base/mem.h"
#include "tests/e2e/faults/stage.h"

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
    {"stuck_rollout", "rate", "{'deadline': 1}", "Deployment", "Deployment", "rate",
        "ProgressDeadlineExceeded"},
    {"hanging_init_container", "user", "{}", "Deployment", "Pod", "user", "PodInitializing"},
    {"affinity_deadlock", "reservation", "{}", "Deployment", "Pod", "reservation", "Unschedulable"},
    {"unbindable_volume", "profile", "{}", "Deployment", "Pod", "profile", "Unschedulable"},
    {"misconfig_app", "geo", "{}", "Deployment", "Pod", "geo", "\"exitCode\":1"},
    {"old_volume_redeploy", "user", "{}", "Deployment", "Pod", "user", "Unschedulable"},
    {"wrong_dns_policy", "recommendation", "{}", "Deployment", "Pod", "recommendation",
        "\"exitCode\":1"},
    {"database_user_removed", "mongodb-geo", "{'clients': 'geo'}", "Deployment", "Pod", "geo",
        "\"exitCode\":1"},
    {"database_privileges_revoked", "mongodb-user", "{'clients': 'user'}", "Deployment", "Pod",
        "user", "\"exitCode\":1"},
    {"database_password_rotated", "mongodb-recommendation", "{'clients': 'recommendation'}",
        "Deployment", "Pod", "recommendation", "\"exitCode\":1"},
    {"database_requires_tls", "mongodb-profile", "{'clients': 'profile'}", "Deployment", "Pod",
        "profile", "\"exitCode\":1"},
    {"config_map_key_missing", "settings", "{'key': 'level'}", "ConfigMap", "Pod", "reader",
        "CreateContainerConfigError"},
    {"config_map_value_wrong", "settings", "{'key': 'level', 'value': 'loud'}", "ConfigMap",
        "ConfigMap", NULL, "loud"},
    {"secret_key_missing", "login", "{}", "Secret", "Pod", "reader", "CreateContainerConfigError"},
    {"secret_value_wrong", "login", "{'value': 'wrong'}", "Secret", "Secret", NULL, "d3Jvbmc="},
    {"rbac_denial", "reader", "{}", "Role", "Role", NULL, "\"rules\":[]"},
    {"node_cordon", "kind-worker", "{}", "Node", "Node", NULL, "\"unschedulable\":true"},
    {"node_taint", "kind-worker", "{}", "Node", "Node", NULL, "maintenance"},
    /* the last, since its pods take long to end */
    {"low_cpu_limit", "geo", "{}", "Deployment", "Pod", "geo", "\"cpu\":\"5m\""},
};

/* Of the fault before, something may still be on its way out. */
static char *absence_of(const char *symptom)
{
    return *symptom == '!' ? xstrdup(symptom + 1) : xasprintf("!%s", symptom);
}

static void play(const scene_t *scene)
{
    AUTO_FREE char *id = xasprintf("f-%s", scene->fault);
    AUTO_FREE char *before = spec_of(scene->struck, scene->target);
    assert_string_not_equal(before, "");
    AUTO_FREE char *absence = absence_of(scene->symptom);
    if (!comes(scene->kind, scene->label, absence, SYMPTOM_MS))
        fail_msg("%s: the symptom is there before the fault", scene->fault);
    inject(id, scene->fault, scene->target, scene->parameters);
    if (!comes(scene->kind, scene->label, scene->symptom, SYMPTOM_MS))
        fail_msg("%s has no symptom", scene->fault);
    expect_alive(id, "active");
    expect_recovery(id);
    AUTO_FREE char *after = spec_of(scene->struck, scene->target);
    assert_string_equal(after, before);
}

static void make(const char *text)
{
    err_t err = {0};
    json_auto_t *object = parsed(text);
    if (kube_call(kube, kube_create(object), NULL, &err) < 0)
        fail_msg("%s", err.text);
}

static void every_fault_shows_and_is_undone(void **state)
{
    (void)state;
    make("{'apiVersion': 'rbac.authorization.k8s.io/v1', 'kind': 'Role', 'metadata': {'name': "
         "'reader', 'namespace': 'test-hotel-reservation'}, 'rules': [{'apiGroups': [''], "
         "'resources': ['pods'], 'verbs': ['get']}]}");
    make("{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'settings', 'namespace': "
         "'test-hotel-reservation'}, 'data': {'level': 'quiet'}}");
    make("{'apiVersion': 'v1', 'kind': 'Secret', 'metadata': {'name': 'login', 'namespace': "
         "'test-hotel-reservation'}, 'data': {'password': 'cmlnaHQ='}}");
    make("{'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': {'name': 'reader', "
         "'namespace': 'test-hotel-reservation'}, 'spec': {'selector': {'matchLabels': "
         "{'io.kompose.service': 'reader'}}, 'template': {'metadata': {'labels': "
         "{'io.kompose.service': 'reader'}}, 'spec': {'terminationGracePeriodSeconds': 0, "
         "'containers': [{'name': 'reader', 'image': 'redis:7.0', 'env': [{'name': 'LEVEL', "
         "'valueFrom': {'configMapKeyRef': {'name': 'settings', 'key': 'level'}}}, {'name': "
         "'PASSWORD', 'valueFrom': {'secretKeyRef': {'name': 'login', 'key': 'password'}}}]}]}}}}");
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

/* ---- releases ------------------------------------------------------------------------------- */

/* Whether the frontend answers one request well. */
static bool is_answered(void)
{
    AUTO_FREE char *text = NULL;
    return kube_call_text(kube, kube_service_proxy(namespace, "frontend", "5000", "/"), &text, NULL)
           == 0;
}

static bool answers_late(void)
{
    int64_t began = ev_now(lab->ev);
    return is_answered() && ev_now(lab->ev) - began >= 250;
}

static bool fails(void)
{
    return !is_answered();
}

/* The sum over the frontend's containers; asks for the frontend's page meanwhile. */
static double frontends(const char *metric)
{
    static const char *const nodes[] = {"kind-control-plane", "kind-worker", "kind-worker2"};
    double sum = 0;
    (void)is_answered(); /* to keep it at work */
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        AUTO_FREE char *text = NULL;
        char *rest = NULL;
        if (kube_call_text(kube, kube_node_proxy(nodes[i], "/metrics/cadvisor"), &text, NULL) < 0)
            continue;
        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
            bool is_ours = strncmp(line, metric, strlen(metric)) == 0
                           && strstr(line, "container=\"hotel-reserv-frontend\"");
            sum += is_ours ? strtod(strstr(line, "} ") + 2, NULL) : 0;
        }
    }
    return sum;
}

static bool grows(void)
{
    return frontends("container_memory_working_set_bytes") > 32 << 20;
}

static bool is_busy(void)
{
    return frontends("container_cpu_usage_seconds_total") > 2;
}

static void expect_release(const char *fault, bool (*shows)(void))
{
    inject(fault, fault, "frontend", "{}");
    int64_t deadline = ev_now(lab->ev) + SYMPTOM_MS;
    bool has_shown = false;
    while (!has_shown && ev_now(lab->ev) < deadline)
        has_shown = shows();
    if (!has_shown)
        fail_msg("%s does not show", fault);
    expect_alive(fault, "active");
    expect_recovery(fault);
    if (!comes("Pod", "frontend", "!hotelreservation:1.", SYMPTOM_MS))
        fail_msg("%s does not go", fault);
}

static void releases_show_their_mistakes(void **state)
{
    (void)state;
    expect_release("slow_handler", answers_late);
    expect_release("memory_leak", grows);
    expect_release("cpu_hog", is_busy);
    expect_release("connection_pool_leak", fails);
    expect_release("error_rate", fails);
}

static bool offers_nothing(void)
{
    AUTO_FREE char *text = NULL;
    err_t err = {0};
    (void)kube_call_text(kube,
        kube_service_proxy(namespace, "frontend", "5000",
            "/recommendations?require=rate&lat=37.7867&lon=-122.4112"),
        &text, &err); /* the words are looked at */
    return strstr(text ? text : err.text, "switched off") != NULL;
}

static void a_flag_switches_a_feature_off(void **state)
{
    (void)state;
    assert_false(offers_nothing());
    inject("flag", "feature_flag", "hotel-features", "{}");
    int64_t deadline = ev_now(lab->ev) + SYMPTOM_MS;
    while (!offers_nothing() && ev_now(lab->ev) < deadline)
        ;
    assert_true(offers_nothing());
    expect_alive("flag", "active");
    expect_recovery("flag");
}

static void too_little_memory_kills(void **state)
{
    (void)state;
    static const scene_t scene = {"low_memory_limit", "mongodb-rate", "{'mib': 2}", "Deployment",
        "Pod", "mongodb-rate", "OOMKilled"};
    if (!has_limits)
        skip();
    play(&scene);
}

static void one_message_kills(void **state)
{
    (void)state;
    static const char message[] = "{\"hotelIds\":[\"1\"],\"inDate\":\"2015-04-19\"}";
    AUTO_FREE char *path =
        xasprintf("/api/v1/namespaces/%s/services/rate:8084/proxy/rate.Rate/GetRates", namespace);
    inject("poison", "poison_message", "rate", "{}");
    int64_t deadline = ev_now(lab->ev) + SYMPTOM_MS;
    bool has_ended = false;
    while (!has_ended && ev_now(lab->ev) < deadline) {
        json_auto_t *answer = NULL;
        (void)kube_call(kube, kube_raw("POST", path, NULL, message), &answer, NULL);
        has_ended = comes("Pod", "rate", "\"exitCode\":139", 500);
    }
    assert_true(has_ended);
    expect_alive("poison", "active");
    expect_recovery("poison");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_shows_and_is_undone),
        cmocka_unit_test(releases_show_their_mistakes),
        cmocka_unit_test(a_flag_switches_a_feature_off),
        cmocka_unit_test(too_little_memory_kills),
        cmocka_unit_test(one_message_kills),
        cmocka_unit_test(the_application_is_well_after_all_that),
    };
    return cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}
