/* securityContext. */
#include "services/cluster/env/kubelet/security.h"

#include "tests/support/test.h"

#include <linux/capability.h>

#define BIT(number) (1ULL << (number))

static int parse(security_t *security, const char *pod_text, const char *container_text, err_t *err)
{
    json_auto_t *pod = json_pack("{s:{s:s, s:s, s:s}, s:{s:o}}", "metadata", "name", "p",
        "namespace", "shop", "uid", "u", "spec", "securityContext", json_loads(pod_text, 0, NULL));
    json_auto_t *container = json_pack(
        "{s:s, s:o}", "name", "c", "securityContext", json_loads(container_text, 0, NULL));
    return security_init(security, pod, container, err);
}

static void a_container_has_the_default_capabilities(void **state)
{
    (void)state;
    security_t security;
    assert_int_equal(parse(&security, "{}", "{}", NULL), 0);
    assert_int_equal(security.process.capabilities, spawn_default_capabilities());
    assert_false(security.process.has_no_new_privileges);
    assert_int_equal(security.process.uid, 0);
}

static void capabilities_are_added_after_all_are_dropped(void **state)
{
    (void)state;
    security_t security;
    assert_int_equal(
        parse(&security, "{}",
            "{\"capabilities\": {\"drop\": [\"ALL\"], \"add\": [\"NET_ADMIN\"]}}", NULL),
        0);
    assert_int_equal(security.process.capabilities, BIT(CAP_NET_ADMIN));
}

static void what_leads_out_of_a_container_is_never_given(void **state)
{
    (void)state;
    security_t security;
    const uint64_t never = BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_MODULE) | BIT(CAP_MKNOD)
                           | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_SYS_RAWIO) | BIT(CAP_BPF);
    assert_int_equal(parse(&security, "{}",
                         "{\"privileged\": true, \"capabilities\": {\"add\": [\"ALL\"]}}", NULL),
        0);
    assert_int_equal(security.process.capabilities & never, 0);
    assert_int_not_equal(security.process.capabilities & BIT(CAP_NET_ADMIN), 0);
}

static void an_unknown_capability_is_refused(void **state)
{
    (void)state;
    security_t security;
    err_t err = {0};
    assert_true(parse(&security, "{}", "{\"capabilities\": {\"add\": [\"FLY\"]}}", &err) < 0);
    assert_string_equal(err.text, "unknown capability \"CAP_FLY\"");
}

static void a_containers_word_counts_before_its_pods(void **state)
{
    (void)state;
    security_t security;
    assert_int_equal(parse(&security, "{\"runAsUser\": 1, \"runAsGroup\": 2, \"fsGroup\": 3}",
                         "{\"runAsUser\": 4}", NULL),
        0);
    assert_int_equal(security.process.uid, 4);
    assert_int_equal(security.process.gid, 2);
    assert_int_equal(security.process.group_count, 1);
    assert_int_equal(security.process.groups[0], 3);
}

static void root_by_word_and_root_by_image_are_told_apart(void **state)
{
    (void)state;
    security_t security;
    err_t err = {0};
    assert_true(parse(&security, "{\"runAsNonRoot\": true}", "{\"runAsUser\": 0}", &err) < 0);
    assert_string_equal(err.text,
        "container's runAsUser breaks non-root policy (pod: \"p_shop(u)\", container: c)");
    assert_int_equal(parse(&security, "{\"runAsNonRoot\": true}", "{\"runAsUser\": 7}", &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_container_has_the_default_capabilities),
        cmocka_unit_test(capabilities_are_added_after_all_are_dropped),
        cmocka_unit_test(what_leads_out_of_a_container_is_never_given),
        cmocka_unit_test(an_unknown_capability_is_refused),
        cmocka_unit_test(a_containers_word_counts_before_its_pods),
        cmocka_unit_test(root_by_word_and_root_by_image_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
