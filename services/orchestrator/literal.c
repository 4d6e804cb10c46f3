#include "services/orchestrator/literal.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>

enum { DEPTH_MAX = 32 };

/* A string that grows. */
typedef struct buffer {
    char *text;
    size_t size, capacity;
} buffer_t;

static void append(buffer_t *self, const char *text, size_t size)
{
    if (self->size + size + 1 > self->capacity) {
        self->capacity = (self->size + size + 1) * 2;
        self->text = mem_check(realloc(self->text, self->capacity));
    }
    memcpy(self->text + self->size, text, size);
    self->size += size;
    self->text[self->size] = '\0';
}

static json_t *complain(literal_t *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static json_t *complain(literal_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(self->complaint, sizeof(self->complaint), format, args);
    va_end(args);
    return NULL;
}

void literal_skip_blank(literal_t *self)
{
    while (isspace((unsigned char)*self->at) || *self->at == '#') {
        if (*self->at == '#')
            self->at += strcspn(self->at, "\n");
        else
            self->at++;
    }
}

/* ---- strings ------------------------------------------------------------------------------ */

static void append_code_point(buffer_t *out, uint32_t code)
{
    char bytes[4];
    size_t size = 0;
    if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        return; /* no text can hold it */
    if (code < 0x80) {
        bytes[size++] = (char)code;
    } else if (code < 0x800) {
        bytes[size++] = (char)(0xC0 | code >> 6);
        bytes[size++] = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        bytes[size++] = (char)(0xE0 | code >> 12);
        bytes[size++] = (char)(0x80 | (code >> 6 & 0x3F));
        bytes[size++] = (char)(0x80 | (code & 0x3F));
    } else {
        bytes[size++] = (char)(0xF0 | code >> 18);
        bytes[size++] = (char)(0x80 | (code >> 12 & 0x3F));
        bytes[size++] = (char)(0x80 | (code >> 6 & 0x3F));
        bytes[size++] = (char)(0x80 | (code & 0x3F));
    }
    append(out, bytes, size);
}

/* Reads count hexadecimal digits; returns how many characters it took, 0 if they are not there. */
static size_t append_hex(buffer_t *out, const char *digits, size_t count)
{
    char text[9] = "";
    for (size_t i = 0; i < count; i++) {
        if (!isxdigit((unsigned char)digits[i]))
            return 0;
        text[i] = digits[i];
    }
    append_code_point(out, (uint32_t)strtoul(text, NULL, 16));
    return count;
}

/* Appends what an escape stands for; `at` is behind the backslash. Returns the characters taken,
 * or 0 if it is none, and the backslash stands for itself. */
static size_t append_escape(buffer_t *out, const char *at)
{
    static const char letters[] = "n\nt\tr\ra\ab\bf\fv\v\\\\\"\"''";
    for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
        if (*at && *at == letters[i]) {
            append(out, &letters[i + 1], 1);
            return 1;
        }
    }
    switch (*at) {
    case '\n':
        return 1;
    case 'x':
        return append_hex(out, at + 1, 2) ? 3 : 0;
    case 'u':
        return append_hex(out, at + 1, 4) ? 5 : 0;
    case 'U':
        return append_hex(out, at + 1, 8) ? 9 : 0;
    default:
        return 0;
    }
}

static size_t append_shell_escape(buffer_t *out, const char *at, bool has_document)
{
    if (*at == '\\' || *at == '"' || *at == '\'') {
        append(out, at, 1);
        return 1;
    }
    if (*at == 'n' && has_document) {
        append(out, "\n", 1);
        return 1;
    }
    return *at == '\n';
}

static char *unescape(const char *text, size_t size, bool is_shell)
{
    buffer_t out = {0};
    AUTO_FREE char *input = xstrndup(text, size);
    bool has_document = strstr(input, "<<") != NULL;
    append(&out, "", 0);
    for (const char *at = input; *at;) {
        size_t plain = strcspn(at, "\\");
        append(&out, at, plain);
        at += plain;
        if (!*at)
            break;
        size_t taken = is_shell ? append_shell_escape(&out, at + 1, has_document)
                                : append_escape(&out, at + 1);
        if (!taken)
            append(&out, "\\", 1);
        at += 1 + taken;
    }
    return out.text;
}

char *literal_unescape_shell(const char *text, size_t size)
{
    return unescape(text, size, true);
}

/* The closing quotes of a string whose text begins at `at`; NULL if there are none. */
static const char *closing(const char *at, const char *quotes, size_t count)
{
    for (; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        else if (strncmp(at, quotes, count) == 0)
            return at;
    }
    return NULL;
}

static json_t *read_string(literal_t *self, bool is_raw)
{
    const char *begin = self->at;
    size_t count = begin[1] == begin[0] && begin[2] == begin[0] ? 3 : 1;
    const char *end = closing(begin + count, begin, count);
    if (!end)
        return complain(self, "the text that begins with %.*s%.20s… has no closing quote",
            (int)count, begin, begin + count);

    size_t size = (size_t)(end - begin) - count;
    AUTO_FREE char *text =
        is_raw ? xstrndup(begin + count, size) : unescape(begin + count, size, self->is_shell);
    json_t *value = json_string(text);
    if (!value)
        return complain(self, "the text is not UTF-8");
    self->at = end + count;
    return value;
}

/* Strings that follow each other are one, as in Python, except for a shell: there it is a quote
 * that was not escaped. */
static json_t *read_strings(literal_t *self, bool is_raw)
{
    json_t *value = read_string(self, is_raw);
    while (value && !self->is_shell) {
        literal_skip_blank(self);
        if (*self->at != '"' && *self->at != '\'')
            break;
        json_t *next = read_string(self, false);
        if (next) {
            AUTO_FREE char *joined =
                xasprintf("%s%s", json_string_value(value), json_string_value(next));
            json_string_set(value, joined);
        } else {
            json_decref(value);
            return NULL;
        }
        json_decref(next);
    }
    return value;
}

/* ---- the other values --------------------------------------------------------------------- */

static json_t *read_number(literal_t *self)
{
    char *end;
    errno = 0;
    long long integer = strtoll(self->at, &end, 10);
    if (errno == 0 && end > self->at && !strchr(".eExX_", *end ? *end : ' ')) {
        self->at = end;
        return json_integer(integer);
    }
    double real = strtod(self->at, &end);
    json_t *value = json_real(real); /* NULL for infinities */
    if (!value || end == self->at)
        return complain(self, "'%.20s' is not a number", self->at);
    self->at = end;
    return value;
}

static size_t word_length(const char *at)
{
    size_t length = 0;
    while (isalnum((unsigned char)at[length]) || (at[length] && strchr("_-./", at[length])))
        length++;
    return length;
}

static json_t *read_word(literal_t *self)
{
    static const struct {
        const char *word;
        int value; /* 1 true, 0 false, -1 null */
    } constants[] = {
        {"True", 1}, {"true", 1}, {"False", 0}, {"false", 0}, {"None", -1}, {"null", -1}};

    size_t length = word_length(self->at);
    AUTO_FREE char *word = xstrndup(self->at, length);
    const char *after = self->at + length;
    if (*after == '"' || *after == '\'') {
        if (strspn(word, "rRbBuU") != length)
            return complain(self, "a string with the prefix '%.10s' is not understood", word);
        self->at = after;
        return read_strings(self, strpbrk(word, "rR") != NULL);
    }
    self->at = after;
    for (size_t i = 0; i < ARRAY_SIZE(constants); i++) {
        if (strcmp(word, constants[i].word) == 0)
            return constants[i].value < 0 ? json_null() : json_boolean(constants[i].value);
    }
    return json_string(word);
}

static json_t *read_value(literal_t *self, int depth);

/* Adds one entry of what stands between braces to a dict, or to a set. */
static bool read_entry(literal_t *self, json_t *dict, json_t *set, int depth)
{
    json_t *key = read_value(self, depth);
    if (!key)
        return false;
    literal_skip_blank(self);
    if (*self->at != ':') {
        json_array_append_new(set, key);
        return true;
    }
    self->at++;
    json_t *value = read_value(self, depth);
    bool is_good = value && json_is_string(key);
    if (is_good)
        json_object_set(dict, json_string_value(key), value);
    else if (value)
        complain(self, "the keys of a dict must be texts");
    json_decref(key);
    json_decref(value);
    return is_good;
}

// NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX ends it
static bool read_items(literal_t *self, char close, json_t *dict, json_t *list, int depth)
{
    for (;;) {
        literal_skip_blank(self);
        if (*self->at == close) {
            self->at++;
            return true;
        }
        if (!*self->at)
            return complain(self, "a closing '%c' is missing", close);
        if (close == '}' && !read_entry(self, dict, list, depth))
            return false;
        if (close != '}') {
            json_t *item = read_value(self, depth);
            if (!item)
                return false;
            json_array_append_new(list, item);
        }
        literal_skip_blank(self);
        if (*self->at == ',')
            self->at++;
        else if (*self->at != close)
            return complain(self, "expected ',' or '%c' before '%.20s'", close, self->at);
    }
}

// NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX ends it
static json_t *read_container(literal_t *self, int depth)
{
    char open = *self->at++;
    char close = (char)(open == '[' ? ']' : open == '(' ? ')' : '}');
    json_t *dict = json_object();
    json_t *list = json_array();
    bool is_good = read_items(self, close, dict, list, depth + 1);
    bool is_list = close != '}' || json_array_size(list) > 0;
    if (is_good && is_list && json_object_size(dict) > 0)
        is_good = complain(self, "a dict needs 'key: value' everywhere");
    json_t *value = is_good ? json_incref(is_list ? list : dict) : NULL;
    json_decref(dict);
    json_decref(list);
    return value;
}

// NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX ends it
static json_t *read_value(literal_t *self, int depth)
{
    literal_skip_blank(self);
    char first = *self->at;
    if (depth > DEPTH_MAX)
        return complain(self, "nested too deeply");
    if (!first)
        return complain(self, "the action ends too early, a closing ')' is missing");
    if (first == '"' || first == '\'')
        return read_strings(self, false);
    if (first == '[' || first == '(' || first == '{')
        return read_container(self, depth);
    if (isdigit((unsigned char)first)
        || ((first == '-' || first == '+' || first == '.') && isdigit((unsigned char)self->at[1])))
        return read_number(self);
    if (isalpha((unsigned char)first) || first == '_' || first == '/' || first == '.')
        return read_word(self);
    return complain(self, "'%.20s' is not a value; put texts in quotes", self->at);
}

json_t *literal_read(literal_t *self)
{
    return read_value(self, 0);
}
