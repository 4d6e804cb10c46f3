/* The tables of states: what may follow what. */
#include "services/orchestrator/session.h"
#include "tests/support/test.h"

static void a_session_goes_forward_one_state_at_a_time(void **state)
{
    (void)state;
    for (session_state_t from = SESSION_REQUESTED; from < SESSION_CLOSED; from++) {
        for (session_state_t to = SESSION_REQUESTED; to <= SESSION_CLOSED; to++)
            assert_int_equal(session_may_move(from, to), to == from + 1);
    }
}

static void a_session_may_fail_from_everywhere_but_its_end(void **state)
{
    (void)state;
    for (session_state_t from = SESSION_REQUESTED; from < SESSION_CLOSED; from++)
        assert_true(session_may_move(from, SESSION_FAILED));
    assert_false(session_may_move(SESSION_CLOSED, SESSION_FAILED));
    assert_false(session_may_move(SESSION_FAILED, SESSION_CLOSED));
}

static void every_state_is_known_by_its_name(void **state)
{
    (void)state;
    for (session_state_t i = SESSION_REQUESTED; i < SESSION_STATES; i++)
        assert_int_equal(session_state_parse(session_state_name(i)), i);
    assert_int_equal(session_state_parse("bored"), SESSION_STATES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_goes_forward_one_state_at_a_time),
        cmocka_unit_test(a_session_may_fail_from_everywhere_but_its_end),
        cmocka_unit_test(every_state_is_known_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
