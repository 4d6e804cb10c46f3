/* Which connections of an agent are ended when its rights shrink. */
#include "broker/roles.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, set_up, tear_down)

typedef struct stage {
    roles_t roles;
    principal_t *agent;
    int ends[2]; /* of a connection: the broker's, the agent's */
} stage_t;

static int set_up(void **state)
{
    stage_t *stage = calloc(1, sizeof(*stage));
    roles_init(&stage->roles, 1);
    stage->agent = roles_use(&stage->roles, "agent:a1");
    *state = stage;
    return socketpair(AF_UNIX, SOCK_STREAM, 0, stage->ends);
}

static int tear_down(void **state)
{
    stage_t *stage = *state;
    roles_done(&stage->roles);
    close(stage->ends[0]);
    close(stage->ends[1]);
    free(stage);
    return 0;
}

static bool hear(stage_t *stage, const char *prefix)
{
    return audience_add(stage->agent, stage->ends[0], prefix, strlen(prefix));
}

static size_t grant(stage_t *stage, const char *topic)
{
    char *topics[] = {(char *)topic};
    return roles_grant(&stage->roles, "a1", 1, topics, 1, NULL, 0);
}

static bool is_ended(stage_t *stage)
{
    char byte;
    return recv(stage->ends[1], &byte, 1, MSG_DONTWAIT) == 0;
}

static void a_connection_that_hears_too_much_is_ended(void **state)
{
    stage_t *stage = *state;
    assert_int_equal(grant(stage, "env/1/"), 0);
    assert_true(hear(stage, "env/1/"));
    assert_int_equal(grant(stage, "session/1/"), 1);
    assert_true(is_ended(stage));
}

static void one_that_hears_what_it_may_stays(void **state)
{
    stage_t *stage = *state;
    grant(stage, "env/1/");
    hear(stage, "env/1/load");
    assert_int_equal(grant(stage, "env/1/"), 0);
    assert_false(is_ended(stage));
}

static void what_is_no_longer_subscribed_does_not_count(void **state)
{
    stage_t *stage = *state;
    grant(stage, "env/1/");
    hear(stage, "env/1/");
    audience_remove(stage->agent, stage->ends[0], "env/1/", 6);
    assert_int_equal(grant(stage, "session/1/"), 0);
    assert_false(is_ended(stage));
}

static void another_connection_in_its_place_is_left_alone(void **state)
{
    stage_t *stage = *state;
    int other[2];
    grant(stage, "env/1/");
    hear(stage, "env/1/");
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, other), 0);
    assert_int_equal(dup2(other[0], stage->ends[0]), stage->ends[0]);
    assert_int_equal(grant(stage, "session/1/"), 0);
    assert_true(send(other[1], "x", 1, 0) == 1);
    close(other[0]);
    close(other[1]);
}

static void an_agent_has_only_so_many(void **state)
{
    stage_t *stage = *state;
    for (int i = 0; i < AUDIENCE_LIMIT; i++)
        assert_true(hear(stage, "env/1/"));
    assert_false(hear(stage, "env/1/"));
}

static void what_is_no_connection_hears_nothing(void **state)
{
    stage_t *stage = *state;
    assert_false(audience_add(stage->agent, -1, "env/1/", 6));
    assert_false(audience_add(stage->agent, STDIN_FILENO + 1000, "env/1/", 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_connection_that_hears_too_much_is_ended),
        TEST(one_that_hears_what_it_may_stays),
        TEST(what_is_no_longer_subscribed_does_not_count),
        TEST(another_connection_in_its_place_is_left_alone),
        TEST(an_agent_has_only_so_many),
        TEST(what_is_no_connection_hears_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
