/* What a model's endpoint answers is foreign: a message comes of it, or a complaint. */
#include "chat/chat.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    chat_reply_t reply;
    err_t err = {0};
    int rc = chat_parse((const char *)data, size, &reply, &err);
    if (rc == 0 ? !json_is_object(reply.message) : err.code == ERR_NONE)
        abort();
    chat_reply_done(&reply);
    return 0;
}
