#include "broker/roles.h"
#include "proto/messages.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, set_up, tear_down)

static int set_up(void **state)
{
    roles_t *roles = calloc(1, sizeof(*roles));
    roles_init(roles, 1);
    *state = roles;
    return 0;
}

static int tear_down(void **state)
{
    roles_done(*state);
    free(*state);
    return 0;
}

static bool may_hear(roles_t *roles, const char *user_id, const char *prefix)
{
    return principal_may_hear(roles_use(roles, user_id), prefix, strlen(prefix));
}

static bool may_reach(roles_t *roles, const char *user_id, const char *target)
{
    return principal_may_reach(roles_use(roles, user_id), target, strlen(target));
}

static void grant(roles_t *roles, uint64_t granter, const char *topic, const char *target)
{
    char *topics[] = {(char *)topic};
    char *targets[] = {(char *)target};
    roles_grant(roles, "a1", granter, topics, topic ? 1 : 0, targets, target ? 1 : 0);
}

static void a_user_id_tells_role_and_name(void **state)
{
    principal_t *agent = roles_use(*state, "agent:a1");
    assert_int_equal(agent->role, BUS_ROLE_AGENT);
    assert_string_equal(agent->name, "a1");
    assert_ptr_equal(roles_use(*state, "agent:a1"), agent);
    assert_int_equal(roles_use(*state, NULL)->role, BUS_ROLE_LOCAL);
}

static void a_local_agent_is_forgotten_with_its_last_use(void **state)
{
    roles_t *roles = *state;
    principal_t *agent = roles_use(roles, "agent:local.00");
    roles_use_again(agent);
    roles_end_use(roles, agent);
    assert_ptr_equal(roles_use(roles, "agent:local.00"), agent);
    roles_end_use(roles, agent);
    roles_end_use(roles, agent);
    assert_int_equal(roles->by_user_id.count, 1); /* the local one */
}

static void but_not_while_it_has_grants(void **state)
{
    roles_t *roles = *state;
    char *topics[] = {(char *)"session/1/"};
    roles_grant(roles, "local.00", 1, topics, 1, NULL, 0);
    roles_end_use(roles, roles_use(roles, "agent:local.00"));
    assert_true(may_hear(roles, "agent:local.00", "session/1/state"));
    roles_end_use(roles, roles_use(roles, "agent:local.00"));
    roles_end_use(roles, roles_use(roles, "agent:local.00"));
    roles_grant(roles, "local.00", 1, NULL, 0, NULL, 0);
    assert_false(may_hear(roles, "agent:local.00", "session/1/state"));
}

static void nobody_has_no_rights(void **state)
{
    assert_int_equal(roles_use(*state, "none:")->role, BUS_ROLE_NONE);
    assert_int_equal(roles_use(*state, "root:x")->role, BUS_ROLE_NONE);
    assert_false(may_hear(*state, "none:", "env/"));
    assert_false(may_reach(*state, "none:", "orchestrator"));
    assert_false(roles_may_send(BUS_ROLE_NONE, &broker_ping_type));
}

static void types_are_open_to_the_roles_in_their_tables(void **state)
{
    (void)state;
    assert_true(roles_may_send(BUS_ROLE_AGENT, &session_act_type));
    assert_false(roles_may_send(BUS_ROLE_AGENT, &session_open_type));
    assert_false(roles_may_send(BUS_ROLE_AGENT, &env_exec_type));
    assert_false(roles_may_send(BUS_ROLE_AGENT, &fault_inject_type));
    assert_false(roles_may_send(BUS_ROLE_AGENT, &session_answer_type));
    assert_true(roles_may_send(BUS_ROLE_OPERATOR, &session_answer_type));
    assert_true(roles_may_send(BUS_ROLE_LOCAL, &broker_grant_type));
    assert_false(roles_may_send(BUS_ROLE_OPERATOR, &broker_grant_type));
}

static void services_and_operators_hear_and_reach_everything(void **state)
{
    assert_true(may_hear(*state, "service:service", ""));
    assert_true(may_hear(*state, "operator:operator", "env/"));
    assert_true(may_reach(*state, "operator:operator", "injector"));
}

static void an_agent_has_what_was_granted_to_its_key(void **state)
{
    grant(*state, 1, "session/1/", NULL);
    assert_true(may_hear(*state, "agent:a1", "session/1/"));
    assert_true(may_hear(*state, "agent:a1", "session/1/step"));
    assert_false(may_hear(*state, "agent:a1", "session/1"));
    assert_false(may_hear(*state, "agent:a1", "session/"));
    assert_false(may_hear(*state, "agent:a1", ""));
    assert_false(may_hear(*state, "agent:a2", "session/1/"));
    assert_false(may_reach(*state, "agent:a1", "orchestrator"));
}

static void a_granted_service_is_reached_by_any_instance(void **state)
{
    grant(*state, 1, NULL, "orchestrator");
    assert_true(may_reach(*state, "agent:a1", "orchestrator"));
    assert_true(may_reach(*state, "agent:a1", "orchestrator@x"));
    assert_false(may_reach(*state, "agent:a1", "orchestrator2"));
    assert_false(may_reach(*state, "agent:a1", "orchestrat"));
}

static void a_new_grant_replaces_those_of_the_same_granter_only(void **state)
{
    grant(*state, 1, "session/1/", NULL);
    grant(*state, 2, "session/2/", NULL);
    grant(*state, 1, "session/3/", NULL);
    assert_false(may_hear(*state, "agent:a1", "session/1/"));
    assert_true(may_hear(*state, "agent:a1", "session/2/"));
    assert_true(may_hear(*state, "agent:a1", "session/3/"));
}

static void an_empty_grant_grants_nothing(void **state)
{
    grant(*state, 1, "", "");
    assert_false(may_hear(*state, "agent:a1", "env/1/state"));
    assert_false(may_reach(*state, "agent:a1", "orchestrator"));
}

static void everybody_may_learn_that_a_subscription_has_arrived(void **state)
{
    assert_true(may_hear(*state, "agent:a1", "_sync/1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_user_id_tells_role_and_name),
        TEST(a_local_agent_is_forgotten_with_its_last_use),
        TEST(but_not_while_it_has_grants),
        TEST(nobody_has_no_rights),
        TEST(types_are_open_to_the_roles_in_their_tables),
        TEST(services_and_operators_hear_and_reach_everything),
        TEST(an_agent_has_what_was_granted_to_its_key),
        TEST(a_granted_service_is_reached_by_any_instance),
        TEST(a_new_grant_replaces_those_of_the_same_granter_only),
        TEST(an_empty_grant_grants_nothing),
        TEST(everybody_may_learn_that_a_subscription_has_arrived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
