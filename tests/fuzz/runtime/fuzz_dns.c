#include "services/cluster/runtime/dns.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void lookup(void *arg, const char *name, uint16_t type, dns_answer_t *answer)
{
    (void)arg;
    assert(strlen(name) <= DNS_NAME_LIMIT);
    answer->is_known = true;
    answer->count = type % (DNS_ANSWER_LIMIT + 1);
    for (size_t i = 0; i < answer->count; i++)
        memset(answer->records[i].target, 'a', 40);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t reply[DNS_MESSAGE_LIMIT];
    size_t reply_size = dns_reply(data, size, lookup, NULL, reply);
    assert(reply_size <= sizeof(reply));
    return 0;
}
