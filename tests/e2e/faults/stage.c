#include "tests/e2e/faults/stage.h"

#include "base/auto.h"
#include "base/mem.h"

#include <unistd.h>

enum { CALL_MS = 120000 };

const char namespace[] = "test-hotel-reservation";
const char env[] = "env-faults";

lab_t *lab;
kube_t *kube;
bool has_limits;

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
void expect_state(const codec_type_t *type, const void *message, const char *state)
{
    fault_status_t *status = ask("injector", type, message, &fault_status_type);
    if (strcmp(status->state, state) != 0)
        fail_msg("%s is '%s': %s", status->fault, status->state, status->reason);
    codec_free(&fault_status_type, status);
}

void expect_alive(const char *id, const char *state)
{
    expect_state(&fault_check_type, &(fault_check_t){id}, state);
}

void expect_recovery(const char *id)
{
    expect_state(&fault_recover_type, &(fault_recover_t){id}, "recovered");
}

/* parameters: JSON with ' for ". */
json_t *parsed(const char *text)
{
    AUTO_FREE char *json = xstrdup(text);
    for (char *at = json; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json_t *object = json_loads(json, 0, NULL);
    assert_non_null(object);
    return object;
}

fault_inject_t fault_of(const char *id, const char *fault, char **target, const json_t *parameters)
{
    return (fault_inject_t){.fault_id = id,
        .fault = fault,
        .env = env,
        .namespace = namespace,
        .targets = {.items = target, .count = 1},
        .params = (json_t *)parameters};
}

void inject(const char *id, const char *fault, const char *target, const char *parameters)
{
    json_auto_t *json = parsed(parameters);
    char *targets[] = {(char *)target};
    fault_inject_t message = fault_of(id, fault, targets, json);
    expect_state(&fault_inject_type, &message, "active");
}

/* ---- looking ------------------------------------------------------------------------------ */

/* An object's specification as text, "" if it is gone. For
 * free(). */
char *spec_of(const char *kind, const char *name)
{
    json_auto_t *object = NULL;
    err_t err = {0};
    if (kube_call(kube, kube_get(KUBE(kind, namespace, name)), &object, &err) < 0)
        return xstrdup(err.code == ERR_NOT_FOUND ? "" : err.text);
    static const char *const parts[] = {"spec", "rules", "data"};
    size_t i = 0;
    while (i + 1 < ARRAY_SIZE(parts) && !json_object_get(object, parts[i]))
        i++;
    return json_dumps(json_object_get(object, parts[i]), JSON_SORT_KEYS);
}

/* Whether the text of the objects has a part; one that begins with '!' must not be in there. What
 * is being deleted does not count. */
static bool has_text(void *arg, const json_t *objects, err_t *why)
{
    const char *wanted = arg;
    json_auto_t *staying = json_object();
    const char *key;
    json_t *object;
    json_object_foreach((json_t *)objects, key, object)
    {
        if (!json_object_get(json_object_get(object, "metadata"), "deletionTimestamp"))
            json_object_set(staying, key, object);
    }
    AUTO_FREE char *text = json_dumps(staying, JSON_COMPACT);
    bool is_there = strstr(text, wanted + (*wanted == '!')) != NULL;
    (void)err_set(why, ERR_TIMEOUT, "'%s' is not so: %.180s", wanted, text);
    return is_there == (*wanted != '!');
}

/* Whether it is so within the time. label: of io.kompose.service, or NULL. */
bool comes(const char *kind, const char *label, const char *text, int64_t within_ms)
{
    err_t err = {0};
    AUTO_FREE char *selector = label ? xasprintf("io.kompose.service=%s", label) : NULL;
    int rc = kube_wait_call(
        kube, KUBE(kind, namespace, NULL), selector, has_text, (char *)text, within_ms, &err);
    if (rc < 0 && within_ms > 1000)
        print_error("%s\n", err.text);
    return rc == 0;
}

/* ---- the stage ----------------------------------------------------------------------------- */

int stage_set_up(void **state)
{
    lab_set_up((void **)&lab);
    env_create_t message = {.env = env, .app = "hotel-reservation"};
    env_info_t *info = ask("cluster", &env_create_type, &message, &env_info_type);
    kube_config_t config = {.server = info->server, .token = info->token, .ca_pem = info->ca};
    kube = kube_new(NULL, &config, NULL);
    has_limits = json_array_size(json_object_get(info->features, "degraded")) == 0;
    codec_free(&env_info_type, info);
    *state = lab;
    return kube ? 0 : -1;
}

int stage_tear_down(void **state)
{
    kube_destroy(&kube);
    return lab_tear_down(state);
}
