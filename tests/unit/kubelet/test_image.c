/* Names of images. */
#include "services/cluster/env/kubelet/image.h"

#include "base/auto.h"

#include "tests/support/test.h"

static void names_have_registries_tags_and_digests(void **state)
{
    (void)state;
    assert_true(images_is_name("redis"));
    assert_true(images_is_name("shop/web:1.2-rc_3"));
    assert_true(images_is_name("localhost:5000/a/b"));
    assert_true(images_is_name("registry.k8s.io/pause:3.9@sha256:7031c1b28338"));
    assert_true(images_is_name("web:v1.0A"));
}

static void other_texts_are_none(void **state)
{
    (void)state;
    assert_false(images_is_name(""));
    assert_false(images_is_name("Shop/web"));
    assert_false(images_is_name("web:"));
    assert_false(images_is_name("/web"));
    assert_false(images_is_name("shop/"));
    assert_false(images_is_name("web latest"));
    assert_false(images_is_name(":1"));
}

static void references_are_told_in_full(void **state)
{
    (void)state;
    AUTO_FREE char *plain = images_reference("redis");
    AUTO_FREE char *ours = images_reference("shop/geo:1");
    AUTO_FREE char *theirs = images_reference("quay.io/a/b");
    assert_string_equal(plain, "docker.io/library/redis:latest");
    assert_string_equal(ours, "docker.io/shop/geo:1");
    assert_string_equal(theirs, "quay.io/a/b:latest");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_registries_tags_and_digests),
        cmocka_unit_test(other_texts_are_none),
        cmocka_unit_test(references_are_told_in_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
