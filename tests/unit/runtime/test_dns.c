#include "services/cluster/runtime/dns.h"

#include "tests/support/test.h"

#include <arpa/inet.h>
#include <string.h>

/* Knows web.default: two addresses, one SRV record. */
static void lookup(void *arg, const char *name, uint16_t type, dns_answer_t *answer)
{
    snprintf(arg, DNS_NAME_LIMIT + 1, "%s", name);
    answer->is_known = strcmp(name, "web.default") == 0;
    if (!answer->is_known)
        return;
    if (type == DNS_A) {
        answer->records[0].address.s_addr = inet_addr("10.0.0.1");
        answer->records[1].address.s_addr = inet_addr("10.0.0.2");
        answer->count = 2;
    } else if (type == DNS_SRV) {
        answer->records[0].port = 8080;
        strcpy(answer->records[0].target, "web.default");
        answer->count = 1;
    }
}

static char s_asked[DNS_NAME_LIMIT + 1];
static uint8_t s_reply[DNS_MESSAGE_LIMIT];

static size_t ask(const char *name_and_type, size_t size)
{
    uint8_t query[DNS_MESSAGE_LIMIT] = {0x12, 0x34, 0x01, 0x00, 0, 1};
    memcpy(query + 12, name_and_type, size);
    return dns_reply(query, 12 + size, lookup, s_asked, s_reply);
}

#define WEB "\3WeB\7default\0"

static void names_are_asked_for_in_lower_case(void **state)
{
    (void)state;
    ask(WEB "\0\1\0\1", 17);
    assert_string_equal(s_asked, "web.default");
}

static void every_address_is_answered(void **state)
{
    (void)state;
    size_t size = ask(WEB "\0\1\0\1", 17);
    assert_int_equal(size, 12 + 17 + 2 * 16);
    assert_int_equal(s_reply[7], 2);
    assert_memory_equal(s_reply + size - 4, "\12\0\0\2", 4);
}

static void a_known_name_without_such_records_is_no_error(void **state)
{
    (void)state;
    ask(WEB "\0\34\0\1", 17);
    assert_int_equal(s_reply[3] & 0x0f, 0);
    assert_int_equal(s_reply[7], 0);
}

static void an_unknown_name_is_told_so(void **state)
{
    (void)state;
    ask("\1x\0\0\1\0\1", 7);
    assert_int_equal(s_reply[3] & 0x0f, 3);
}

static void a_service_record_names_port_and_target(void **state)
{
    (void)state;
    size_t size = ask(WEB "\0\41\0\1", 17);
    assert_memory_equal(s_reply + size - 15, "\x1f\x90\3web\7default", 14);
}

static void half_a_question_is_a_format_error(void **state)
{
    (void)state;
    assert_int_equal(ask("\3we", 3), 12);
    assert_int_equal(s_reply[3] & 0x0f, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_asked_for_in_lower_case),
        cmocka_unit_test(every_address_is_answered),
        cmocka_unit_test(a_known_name_without_such_records_is_no_error),
        cmocka_unit_test(an_unknown_name_is_told_so),
        cmocka_unit_test(a_service_record_names_port_and_target),
        cmocka_unit_test(half_a_question_is_a_format_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
