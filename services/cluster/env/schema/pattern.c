/* Translation and matching.
 *
 * Go's expressions and POSIX' differ in \d, in (?:…), in the backslash within brackets and in lazy
 * repetition, which makes no difference to whether there is a match. glibc matches without going
 * back as long as there are no back references, and Go has none. */
#include "services/cluster/env/schema/pattern.h"

#include "base/auto.h"
#include "base/mem.h"

#include <regex.h>

enum {
    PATTERN_SIZE = 4096,
    REPEAT_MAX = 1000, /* Go's own limit */
    GROUPS_MAX = 64,
    COST_MAX = 20000 /* a repetition is compiled as that many copies, and those in it again */
};

typedef struct translation {
    char text[PATTERN_SIZE];
    size_t length;
    bool is_bad;
    bool is_repeated;       /* what came last was a repetition: Go has no second one */
    size_t depth;           /* of groups */
    long costs[GROUPS_MAX]; /* of each open group */
    long last;              /* of what a repetition would repeat */
} translation_t;

static void add(translation_t *self, const char *text)
{
    size_t length = strlen(text);
    if (self->length + length >= PATTERN_SIZE) {
        self->is_bad = true;
        return;
    }
    memcpy(self->text + self->length, text, length + 1);
    self->length += length;
}

static void add_char(translation_t *self, char c)
{
    add(self, (char[]){c, 0});
}

/* What follows has been one unit of that cost. */
static void count(translation_t *self, long cost)
{
    self->costs[self->depth] += cost;
    self->last = cost;
    self->is_repeated = false;
    self->is_bad = self->is_bad || self->costs[self->depth] > COST_MAX;
}

static void repeat(translation_t *self, long times)
{
    self->is_bad = self->is_bad || self->is_repeated;
    if (times > 1)
        count(self, self->last * (times - 1));
    self->is_repeated = true;
}

static void open_group(translation_t *self)
{
    self->is_bad = self->is_bad || self->depth + 1 >= GROUPS_MAX;
    if (!self->is_bad)
        self->costs[++self->depth] = 1;
    self->is_repeated = false;
}

static void close_group(translation_t *self)
{
    self->is_bad = self->is_bad || !self->depth;
    if (self->is_bad)
        return;
    self->depth--;
    count(self, self->costs[self->depth + 1]);
}

/* What \d, \w and \s stand for within brackets, or NULL. */
static const char *class_of(char c)
{
    switch (c) {
    case 'd':
        return "0-9";
    case 'w':
        return "0-9A-Za-z_";
    case 's':
        return " \t\n\r\f";
    default:
        return NULL;
    }
}

static char control_of(char c)
{
    switch (c) {
    case 't':
        return '\t';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    default:
        return c;
    }
}

/* After the backslash outside of brackets. */
static void add_escape(translation_t *self, char c)
{
    const char *class = class_of((char)(c | 0x20));
    bool is_negated = c == 'D' || c == 'W' || c == 'S';
    if (class) {
        add(self, is_negated ? "[^" : "[");
        add(self, class);
        add(self, "]");
    } else if (c == 'z') {
        add(self, "$");
    } else if (c == 'A') {
        add(self, "^");
    } else if (c == 'b' || c == 'B' || strchr(".[]{}()*+?|^$\\", c)) {
        add_char(self, '\\');
        add_char(self, c);
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
        self->is_bad = control_of(c) == c; /* \pL, \x41, \Q…\E */
        add_char(self, control_of(c));
    } else {
        add_char(self, c);
    }
}

/* Members of a bracket; those that need a place of their own are only noted. */
typedef struct bracket {
    char *inside;
    size_t size;
    bool has_bracket;
    bool has_dash;
    bool has_caret;
} bracket_t;

static void put_member(bracket_t *self, const char *text, size_t size)
{
    memcpy(self->inside + self->size, text, size);
    self->size += size;
}

static void add_literal(bracket_t *self, char literal, bool is_range)
{
    if (literal == ']')
        self->has_bracket = true;
    else if (literal == '-' && !is_range)
        self->has_dash = true;
    else if (literal == '^')
        self->has_caret = true;
    else
        put_member(self, &literal, 1);
}

/* POSIX has no backslash within brackets: ']' comes first, '-' last. */
static void close_bracket(translation_t *self, const bracket_t *bracket, bool is_negated)
{
    bool has_others = bracket->has_bracket || bracket->size;
    bool is_caret_first = bracket->has_caret && !is_negated && !has_others;
    add(self, is_caret_first && !bracket->has_dash ? "\\" : is_negated ? "[^" : "[");
    add(self, bracket->has_bracket ? "]" : "");
    add(self, bracket->inside);
    add(self, is_caret_first && bracket->has_dash ? "-" : "");
    add(self, bracket->has_caret ? "^" : "");
    add(self, bracket->has_dash && !is_caret_first ? "-" : "");
    add(self, is_caret_first && !bracket->has_dash ? "" : "]");
}

/* Returns what follows. */
static const char *add_bracket(translation_t *self, const char *at)
{
    AUTO_FREE char *inside = xcalloc(1, strlen(at) * 10 + 1);
    bracket_t bracket = {.inside = inside};
    bool is_negated = *at == '^';
    at += is_negated;
    for (const char *first = at; *at && (*at != ']' || at == first); at++) {
        bool is_escaped = *at == '\\';
        bool is_range = *at == '-' && at != first && at[1] && at[1] != ']';
        const char *class = is_escaped && at[1] ? class_of(*++at) : NULL;
        if (is_escaped && !class)
            add_literal(&bracket, control_of(*at), false);
        else if (class)
            put_member(&bracket, class, strlen(class));
        else
            add_literal(&bracket, *at, is_range);
    }
    close_bracket(self, &bracket, is_negated);
    self->is_bad = self->is_bad || !*at;
    return *at ? at + 1 : at;
}

/* {n}, {n,}, {n,m}; Go takes any other brace as it is. Returns what follows. */
static const char *add_brace(translation_t *self, const char *at)
{
    char *end;
    long low = strtol(at, &end, 10);
    long high = low;
    bool is_repeat = end != at && *at >= '0' && *at <= '9';
    if (is_repeat && *end == ',' && end[1] != '}')
        high = strtol(end + 1, &end, 10);
    else if (is_repeat && *end == ',')
        end++;
    if (!is_repeat || *end != '}') {
        add(self, "\\{");
        count(self, 1);
        return at;
    }
    repeat(self, high > low ? high : low + 1);
    self->is_bad = self->is_bad || low > REPEAT_MAX || high > REPEAT_MAX;
    add_char(self, '{');
    for (; at <= end; at++)
        add_char(self, *at);
    return at;
}

static const char *add_group(translation_t *self, const char *at)
{
    bool is_plain = !strncmp(at, "(?:", 3);
    add_char(self, '(');
    open_group(self);
    self->is_bad = self->is_bad || (at[1] == '?' && !is_plain);
    return at + (is_plain ? 3 : 1);
}

/* '*', '+', '?' or {n}, which may be lazy. */
static const char *add_repetition(translation_t *self, const char *at)
{
    if (*at == '{') {
        at = add_brace(self, at + 1);
    } else {
        add_char(self, *at);
        repeat(self, *at == '+' ? 2 : 1);
        at++;
    }
    return self->is_repeated && *at == '?' ? at + 1 : at;
}

static const char *add_next(translation_t *self, const char *at)
{
    if (strchr("*+?{", *at))
        return add_repetition(self, at);
    if (*at == '(')
        return add_group(self, at);
    if (*at == ')') {
        close_group(self);
        add_char(self, *at);
        return at + 1;
    }
    count(self, 1);
    if (*at == '[')
        return add_bracket(self, at + 1);
    if (*at == '\\') {
        self->is_bad = self->is_bad || !at[1];
        if (at[1])
            add_escape(self, at[1]);
        return at[1] ? at + 2 : at + 1;
    }
    add(self, *at == '}' ? "\\" : "");
    add_char(self, *at);
    return at + 1;
}

pattern_result_t pattern_match(const char *pattern, const char *text)
{
    translation_t self = {.length = 0};
    regex_t regex;
    int flags = REG_EXTENDED | REG_NOSUB;
    if (!strncmp(pattern, "(?i)", 4)) {
        flags |= REG_ICASE;
        pattern += 4;
    }
    while (*pattern && !self.is_bad)
        pattern = add_next(&self, pattern);
    if (self.is_bad || regcomp(&regex, self.text, flags) != 0)
        return PATTERN_BAD;
    int rc = regexec(&regex, text, 0, NULL, 0);
    regfree(&regex);
    return rc == 0 ? PATTERN_MATCH : PATTERN_NO_MATCH;
}
