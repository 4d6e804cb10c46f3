#include "services/cluster/runtime/dns_message.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void lookup(void *arg, const char *name, uint16_t type, dns_answer_t *answer)
{
    (void)arg;
    assert(strlen(name) <= DNS_NAME_LIMIT);
    answer->is_known = type % 2;
    answer->is_zone = type % 3;
    for (int i = 0; i < type % (2 * DNS_RECORD_LIMIT); i++) {
        dns_record_t *record = dns_answer_add(answer, i % 2 ? DNS_SRV : (dns_type_t)type);
        if (!record)
            break;
        record->is_extra = i % 5 == 0;
        memset(record->target, 'a', (size_t)i);
    }
}

/* The first byte says which way the question came. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t reply[DNS_MESSAGE_LIMIT];
    if (size == 0)
        return 0;
    bool is_datagram = data[0] & 1;
    size_t reply_size = dns_reply(data + 1, size - 1, is_datagram, lookup, NULL, reply);
    assert(reply_size <= (is_datagram ? DNS_DATAGRAM_LIMIT : DNS_MESSAGE_LIMIT));
    return 0;
}
