#include "base/auto.h"
#include "base/base64.h"
#include "tests/support/test.h"

#include <string.h>

/* RFC 4648, section 10. */
static const struct vector {
    const char *plain;
    const char *encoded;
} vectors[] = {{"", ""}, {"f", "Zg=="}, {"xy", "eHk="}, {"foo", "Zm9v"}, {"xy z", "eHkgeg=="},
    {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe\xfd", "//79"}};

static void it_is_that_of_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        AUTO_FREE char *encoded = base64_encode(vectors[i].plain, strlen(vectors[i].plain));
        assert_string_equal(encoded, vectors[i].encoded);
        size_t size = 0;
        AUTO_FREE char *decoded = base64_decode(encoded, &size);
        assert_int_equal(size, strlen(vectors[i].plain));
        assert_string_equal(decoded, vectors[i].plain);
    }
}

static void what_is_no_digit_is_skipped(void **state)
{
    (void)state;
    size_t size = 0;
    AUTO_FREE char *decoded = base64_decode("Zm9v\n YmFy", &size);
    assert_int_equal(size, 6);
    assert_string_equal(decoded, "foobar");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_that_of_the_rfc),
        cmocka_unit_test(what_is_no_digit_is_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
