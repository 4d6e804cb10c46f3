#include "tests/integration/env/server.h"

#include "tests/support/test.h"

#include <stdlib.h>

static void placeholder(void **state)
{
    (void)state;
    server_t *server = server_new(NULL);
    server_destroy(&server);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(placeholder)};
    if (argc > 1) {
        server_run(atoi(argv[1]));
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
