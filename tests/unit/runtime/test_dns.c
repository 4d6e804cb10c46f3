#include "services/cluster/runtime/dns_message.h"

#include "tests/support/test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* Knows web.default: two addresses, one SRV record; and many.default: a hundred addresses. All but
 * x is of the zone. */
static void lookup(void *arg, const char *name, uint16_t type, dns_answer_t *answer)
{
    snprintf(arg, DNS_NAME_LIMIT + 1, "%s", name);
    bool is_many = strcmp(name, "many.default") == 0;
    answer->is_zone = strcmp(name, "x") != 0;
    answer->is_known = is_many || strcmp(name, "web.default") == 0;
    if (!answer->is_known)
        return;
    for (int i = 1; type == DNS_A && i <= (is_many ? 100 : 2); i++)
        dns_answer_add(answer, DNS_A)->address.s_addr = htonl(10U << 24 | (unsigned)i);
    if (type != DNS_SRV)
        return;
    dns_record_t *record = dns_answer_add(answer, DNS_SRV);
    record->port = 8080;
    strcpy(record->target, "web.default");
    dns_record_t *extra = dns_answer_add(answer, DNS_A);
    extra->is_extra = true;
    strcpy(extra->owner, "web.default");
    extra->address.s_addr = inet_addr("10.0.0.9");
}

static char s_asked[DNS_NAME_LIMIT + 1];
static uint8_t s_reply[DNS_MESSAGE_LIMIT];

static size_t ask_by(bool is_datagram, const char *name_and_type, size_t size, int extras)
{
    uint8_t query[DNS_PLAIN_LIMIT] = {0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, (uint8_t)extras};
    memcpy(query + 12, name_and_type, size);
    return dns_reply(query, 12 + size, is_datagram, lookup, s_asked, s_reply);
}

static size_t ask(const char *name_and_type, size_t size)
{
    return ask_by(true, name_and_type, size, 0);
}

static int rcode(void)
{
    return s_reply[3] & 0x0f;
}

static bool is_truncated(void)
{
    return s_reply[2] & 0x02;
}

#define WEB  "\3WeB\7default\0"
#define MANY "\4many\7default\0"
#define OPT  "\0\0\51\20\0\0\0\0\0\0\0" /* 4096 bytes */

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
    assert_int_equal(rcode(), 0);
    assert_int_equal(s_reply[7], 0);
    assert_int_equal(s_reply[9], 1); /* the zone's SOA says for how long that holds */
}

static void an_unknown_name_is_told_so_with_the_zones_authority(void **state)
{
    (void)state;
    size_t size = ask("\1y\0\0\1\0\1", 7);
    assert_int_equal(rcode(), 3);
    assert_int_equal(s_reply[9], 1);
    assert_memory_equal(s_reply + 12 + 7, "\7cluster\5local\0\0\6\0\1", 19);
    assert_memory_equal(s_reply + size - 4, "\0\0\0\5", 4);
}

static void names_outside_the_zone_have_no_authority_here(void **state)
{
    (void)state;
    ask("\1x\0\0\1\0\1", 7);
    assert_int_equal(rcode(), 3);
    assert_int_equal(s_reply[9], 0);
    assert_false(s_reply[2] & 0x04);
}

static void a_service_record_names_port_and_target_whose_address_is_extra(void **state)
{
    (void)state;
    size_t size = ask(WEB "\0\41\0\1", 17);
    assert_int_equal(s_reply[7], 1);
    assert_int_equal(s_reply[11], 1);
    assert_memory_equal(s_reply + 12 + 17 + 12 + 4, "\x1f\x90\3web\7default\0", 15);
    assert_memory_equal(s_reply + size - 4, "\12\0\0\11", 4);
}

static void a_plain_asker_gets_512_bytes_and_is_told_that_there_is_more(void **state)
{
    (void)state;
    size_t size = ask(MANY "\0\1\0\1", 18);
    assert_true(size <= 512 && is_truncated());
    assert_int_equal(s_reply[7], (512 - 30) / 16);
}

static void an_asker_with_room_gets_more(void **state)
{
    (void)state;
    size_t size = ask_by(true, MANY "\0\1\0\1" OPT, 29, 1);
    assert_true(size > 512 && size <= 1232 && is_truncated());
    assert_int_equal(s_reply[11], 1);
    assert_memory_equal(s_reply + size - 11, "\0\0\51\4\320", 5);
}

static void a_stream_takes_all(void **state)
{
    (void)state;
    size_t size = ask_by(false, MANY "\0\1\0\1", 18, 0);
    assert_int_equal(size, 30 + 100 * 16);
    assert_false(is_truncated());
}

static void an_unknown_version_of_edns_is_refused(void **state)
{
    (void)state;
    size_t size = ask_by(true, WEB "\0\1\0\1\0\0\51\20\0\0\1\0\0\0\0", 28, 1);
    assert_int_equal(rcode(), 0);
    assert_int_equal(s_reply[7], 0);
    assert_memory_equal(s_reply + size - 6, "\1\0\0\0\0\0", 6);
}

static void half_a_question_is_a_format_error(void **state)
{
    (void)state;
    assert_int_equal(ask("\3we", 3), 12);
    assert_int_equal(rcode(), 1);
    assert_int_equal(ask_by(true, WEB "\0\1\0\1\0\0\51\20\0\0\0\0\0\0\7", 28, 1), 12);
    assert_int_equal(rcode(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_asked_for_in_lower_case),
        cmocka_unit_test(every_address_is_answered),
        cmocka_unit_test(a_known_name_without_such_records_is_no_error),
        cmocka_unit_test(an_unknown_name_is_told_so_with_the_zones_authority),
        cmocka_unit_test(names_outside_the_zone_have_no_authority_here),
        cmocka_unit_test(a_service_record_names_port_and_target_whose_address_is_extra),
        cmocka_unit_test(a_plain_asker_gets_512_bytes_and_is_told_that_there_is_more),
        cmocka_unit_test(an_asker_with_room_gets_more),
        cmocka_unit_test(a_stream_takes_all),
        cmocka_unit_test(an_unknown_version_of_edns_is_refused),
        cmocka_unit_test(half_a_question_is_a_format_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
