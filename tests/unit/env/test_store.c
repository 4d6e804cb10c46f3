#include "services/cluster/env/object.h"
#include "services/cluster/env/store.h"

#include "base/auto.h"

#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

typedef struct bench {
    ev_t *ev;
    store_t *store;
    char told[512]; /* "+a ~a -a" for each change */
} bench_t;

static void on_change(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    bench_t *self = arg;
    (void)kind;
    (void)old;
    size_t length = strlen(self->told);
    snprintf(self->told + length, sizeof(self->told) - length, "%s%c%s", length ? " " : "",
        "+~-"[change], object_name(object));
}

static int create(bench_t *self, const char *kind, const char *text)
{
    return store_create(self->store, kind_find(kind), json_loads(text, 0, NULL), NULL, NULL);
}

static json_t *get(bench_t *self, const char *kind, const char *name)
{
    return store_get(self->store, kind_find(kind), "default", name);
}

static int setup(void **state)
{
    bench_t *self = calloc(1, sizeof(*self));
    self->ev = ev_sim_new();
    self->store = store_new(self->ev, 1);
    *state = self;
    return create(self, "Namespace", "{\"metadata\":{\"name\":\"default\"}}");
}

static int teardown(void **state)
{
    bench_t *self = *state;
    store_destroy(&self->store);
    ev_destroy(&self->ev);
    free(self);
    return 0;
}

static void a_new_object_gets_what_servers_give(void **state)
{
    bench_t *self = *state;
    assert_int_equal(
        create(self, "Deployment", "{\"metadata\":{\"name\":\"d\"},\"spec\":{\"template\":{}}}"),
        0);
    const json_t *stored = get(self, "Deployment", "d");
    assert_string_equal(object_string(stored, "apiVersion"), "apps/v1");
    assert_int_equal(strlen(object_uid(stored)), 36);
    assert_int_equal(object_integer(stored, "metadata.generation", 0), 1);
    assert_true(object_time_parse(object_string(stored, "metadata.creationTimestamp")) > 0);
    assert_string_equal(object_string(stored, "metadata.resourceVersion"), "2");
    assert_int_equal(object_integer(stored, "spec.replicas", 0), 1);
}

static void a_taken_name_and_a_missing_namespace_are_refused(void **state)
{
    bench_t *self = *state;
    err_t err = {0};
    create(self, "ConfigMap", "{\"metadata\":{\"name\":\"c\"}}");
    assert_int_equal(create(self, "ConfigMap", "{\"metadata\":{\"name\":\"c\"}}"), -ERR_EXISTS);
    json_t *lost = json_loads("{\"metadata\":{\"name\":\"c\",\"namespace\":\"no\"}}", 0, NULL);
    assert_int_equal(
        store_create(self->store, kind_find("ConfigMap"), lost, NULL, &err), -ERR_NOT_FOUND);
    assert_string_equal(err.text, "namespaces \"no\" not found");
}

static void generated_names_differ(void **state)
{
    bench_t *self = *state;
    create(self, "ConfigMap", "{\"metadata\":{\"generateName\":\"c-\"}}");
    create(self, "ConfigMap", "{\"metadata\":{\"generateName\":\"c-\"}}");
    assert_int_equal(store_version(self->store), 3);
}

static void a_stale_update_is_a_conflict(void **state)
{
    bench_t *self = *state;
    err_t err = {0};
    create(self, "ConfigMap", "{\"metadata\":{\"name\":\"c\"}}");
    json_t *copy = json_deep_copy(get(self, "ConfigMap", "c"));
    object_set(copy, "metadata.resourceVersion", json_string("1"));
    assert_int_equal(
        store_update(self->store, kind_find("ConfigMap"), copy, STORE_ALL, &err), -ERR_STATE);
    assert_string_equal(err.text,
        "Operation cannot be fulfilled on configmaps \"c\": the object has been modified; please "
        "apply your changes to the latest version and try again");
}

static void an_update_that_changes_nothing_keeps_the_version(void **state)
{
    bench_t *self = *state;
    create(self, "ConfigMap", "{\"metadata\":{\"name\":\"c\"},\"data\":{\"a\":\"b\"}}");
    json_t *copy = json_deep_copy(get(self, "ConfigMap", "c"));
    assert_int_equal(store_update(self->store, kind_find("ConfigMap"), copy, STORE_ALL, NULL), 0);
    assert_int_equal(store_version(self->store), 2);
}

static void only_a_change_of_the_spec_counts_as_a_generation(void **state)
{
    bench_t *self = *state;
    const kind_t *kind = kind_find("Deployment");
    create(self, "Deployment", "{\"metadata\":{\"name\":\"d\"},\"spec\":{\"template\":{}}}");
    json_t *copy = object_copy(get(self, "Deployment", "d"), "status");
    object_set(copy, "status.replicas", json_integer(1));
    object_set(copy, "spec", json_object()); /* not the status: not taken */
    store_update(self->store, kind, copy, STORE_STATUS, NULL);
    assert_int_equal(object_integer(get(self, "Deployment", "d"), "metadata.generation", 0), 1);
    assert_int_equal(object_integer(get(self, "Deployment", "d"), "status.replicas", 0), 1);
    copy = object_copy(get(self, "Deployment", "d"), "spec");
    object_set(copy, "spec.replicas", json_integer(3));
    store_update(self->store, kind, copy, STORE_SPEC, NULL);
    assert_int_equal(object_integer(get(self, "Deployment", "d"), "metadata.generation", 0), 2);
    assert_int_equal(object_integer(get(self, "Deployment", "d"), "status.replicas", 0), 1);
}

static void watchers_are_told_in_order_and_from_the_loop(void **state)
{
    bench_t *self = *state;
    store_watch_t *watch = store_watch(self->store, kind_find("ConfigMap"), on_change, self);
    create(self, "ConfigMap", "{\"metadata\":{\"name\":\"a\"}}");
    create(self, "ConfigMap", "{\"metadata\":{\"name\":\"b\"}}");
    store_delete(self->store, kind_find("ConfigMap"), "default", "a", NULL, NULL);
    assert_string_equal(self->told, "");
    ev_sim_run_for(self->ev, 1);
    assert_string_equal(self->told, "+a +b -a");
    store_watch_end(&watch);
    create(self, "ConfigMap", "{\"metadata\":{\"name\":\"c\"}}");
    ev_sim_run_for(self->ev, 1);
    assert_string_equal(self->told, "+a +b -a");
}

static void a_pod_on_a_node_waits_for_its_kubelet(void **state)
{
    bench_t *self = *state;
    const kind_t *kind = kind_find("Pod");
    create(self, "Pod", "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"nodeName\":\"n\"}}");
    assert_int_equal(store_delete(self->store, kind, "default", "p", NULL, NULL), 0);
    assert_true(object_is_deleted(get(self, "Pod", "p")));
    assert_int_equal(store_remove(self->store, kind, "default", "p", NULL), 0);
    assert_null(get(self, "Pod", "p"));
}

static void a_forced_delete_does_not_wait(void **state)
{
    bench_t *self = *state;
    store_delete_t options = {.grace_seconds = 0};
    create(self, "Pod", "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"nodeName\":\"n\"}}");
    store_delete(self->store, kind_find("Pod"), "default", "p", &options, NULL);
    assert_null(get(self, "Pod", "p"));
}

static void an_object_goes_when_its_last_finalizer_does(void **state)
{
    bench_t *self = *state;
    const kind_t *kind = kind_find("ConfigMap");
    create(self, "ConfigMap", "{\"metadata\":{\"name\":\"c\",\"finalizers\":[\"x/y\"]}}");
    store_delete(self->store, kind, "default", "c", NULL, NULL);
    json_t *copy = object_copy(get(self, "ConfigMap", "c"), "metadata");
    assert_true(object_is_deleted(copy));
    json_object_del(object_at(copy, "metadata"), "finalizers");
    store_update(self->store, kind, copy, STORE_ALL, NULL);
    assert_null(get(self, "ConfigMap", "c"));
}

static void a_namespace_on_its_way_out_takes_nothing_in(void **state)
{
    bench_t *self = *state;
    store_delete(self->store, kind_find("Namespace"), NULL, "default", NULL, NULL);
    assert_string_equal(
        object_string(get(self, "Namespace", "default"), "status.phase"), "Terminating");
    assert_int_equal(create(self, "ConfigMap", "{\"metadata\":{\"name\":\"c\"}}"), -ERR_FORBIDDEN);
}

static void orphans_lose_their_owner_reference(void **state)
{
    bench_t *self = *state;
    store_delete_t options = {.grace_seconds = -1, .propagation = "Orphan"};
    create(self, "ConfigMap", "{\"metadata\":{\"name\":\"owner\"}}");
    json_t *child = json_pack("{s:{s:s, s:[o]}}", "metadata", "name", "child", "ownerReferences",
        object_owner_reference(get(self, "ConfigMap", "owner")));
    store_create(self->store, kind_find("ConfigMap"), child, NULL, NULL);
    store_delete(self->store, kind_find("ConfigMap"), "default", "owner", &options, NULL);
    assert_null(object_at(get(self, "ConfigMap", "child"), "metadata.ownerReferences"));
}

static void services_get_addresses_of_their_own(void **state)
{
    bench_t *self = *state;
    create(self, "Service", "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"ports\":[{\"port\":80}]}}");
    create(self, "Service", "{\"metadata\":{\"name\":\"b\"},\"spec\":{\"clusterIP\":\"None\"}}");
    const char *address = object_string(get(self, "Service", "a"), "spec.clusterIP");
    assert_memory_equal(address, "10.", 3);
    assert_string_equal(object_string(get(self, "Service", "b"), "spec.clusterIP"), "None");
    assert_int_equal(
        object_integer(
            json_array_get(object_at(get(self, "Service", "a"), "spec.ports"), 0), "targetPort", 0),
        80);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_object_gets_what_servers_give),
        TEST(a_taken_name_and_a_missing_namespace_are_refused),
        TEST(generated_names_differ),
        TEST(a_stale_update_is_a_conflict),
        TEST(an_update_that_changes_nothing_keeps_the_version),
        TEST(only_a_change_of_the_spec_counts_as_a_generation),
        TEST(watchers_are_told_in_order_and_from_the_loop),
        TEST(a_pod_on_a_node_waits_for_its_kubelet),
        TEST(a_forced_delete_does_not_wait),
        TEST(an_object_goes_when_its_last_finalizer_does),
        TEST(a_namespace_on_its_way_out_takes_nothing_in),
        TEST(orphans_lose_their_owner_reference),
        TEST(services_get_addresses_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
