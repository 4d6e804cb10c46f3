/* Certificates of the environment's own authority. */
#include "services/cluster/env/auth/authority.h"

#include "base/auto.h"
#include "tests/support/test.h"

#include <string.h>

static void it_shows_its_certificate(void **state)
{
    AUTO(authority_destroy) authority_t *authority = authority_new();
    (void)state;
    assert_non_null(strstr(authority_pem(authority), "-----BEGIN CERTIFICATE-----"));
}

static void what_is_no_request_is_not_signed(void **state)
{
    AUTO(authority_destroy) authority_t *authority = authority_new();
    err_t err = {0};
    (void)state;
    assert_null(authority_sign(authority, "hello", 600, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_null(authority_sign(authority, authority_pem(authority), 600, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_shows_its_certificate),
        cmocka_unit_test(what_is_no_request_is_not_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
