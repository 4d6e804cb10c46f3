#include "services/evaluator/tokens.h"

#include <ctype.h>
#include <string.h>

enum { LETTERS_PER_TOKEN = 6, SIGNS_PER_TOKEN = 2, DIGITS_PER_PIECE = 3 };

/* Letters are those of ASCII and all that is not ASCII. */
static int is_letter(char sign)
{
    return isalpha((unsigned char)sign) || (unsigned char)sign >= 0x80;
}

static int is_sign(char sign)
{
    return sign && !is_letter(sign) && !isdigit((unsigned char)sign)
           && !isspace((unsigned char)sign);
}

static size_t run(const char *text, int (*is_of)(char sign))
{
    size_t length = 0;
    while (text[length] && is_of(text[length]))
        length++;
    return length;
}

/* Characters of UTF-8 among bytes: those that are no continuation. */
static size_t characters(const char *text, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* Counts the piece at *text_p and moves behind it. */
static size_t take_piece(const char **text_p)
{
    const char *text = *text_p;
    const char *word = text + (*text == ' ');
    size_t length = run(word, is_letter);
    if (length) {
        *text_p = word + length;
        size_t count = characters(word, length);
        return (count + LETTERS_PER_TOKEN - 1) / LETTERS_PER_TOKEN;
    }
    length = run(word, is_sign);
    if (length) {
        *text_p = word + length;
        return (length + SIGNS_PER_TOKEN - 1) / SIGNS_PER_TOKEN;
    }
    if (isdigit((unsigned char)*text)) {
        for (length = 1; length < DIGITS_PER_PIECE && isdigit((unsigned char)text[length]);)
            length++;
        *text_p = text + length;
        return 1;
    }
    length = strspn(text, "\r\n");
    if (!length)
        length = strspn(text, " \t\v\f");
    *text_p = text + (length ? length : 1);
    return 1;
}

size_t tokens_count(const char *text)
{
    size_t count = 0;
    while (*text)
        count += take_piece(&text);
    return count;
}
