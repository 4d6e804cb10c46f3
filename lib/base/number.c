#include "base/number.h"

#include <errno.h>
#include <stdlib.h>

bool number_parse(const char *text, int64_t least, int64_t most, int64_t *number_p)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || end == text || *end || number < least || number > most)
        return false;
    *number_p = number;
    return true;
}

int64_t number_or(const char *text, int64_t least, int64_t most, int64_t otherwise)
{
    int64_t number = otherwise;
    return text && number_parse(text, least, most, &number) ? number : otherwise;
}
