/* The text forms of selectors: labels.Parse and fields.ParseSelector of apimachinery. */
#include "services/cluster/env/selector_internal.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>

/* ---- tokens ------------------------------------------------------------------------------- */

typedef struct lexer {
    const char *at;    /* what follows the token */
    const char *token; /* "" at the end */
    size_t length;
} lexer_t;

static bool is_special(char c)
{
    return c && strchr("()=!,<>", c);
}

static void lexer_next(lexer_t *self)
{
    while (isspace((unsigned char)*self->at))
        self->at++;
    self->token = self->at;
    if (!strncmp(self->at, "==", 2) || !strncmp(self->at, "!=", 2)) {
        self->at += 2;
    } else if (is_special(*self->at)) {
        self->at++;
    } else {
        while (*self->at && !is_special(*self->at) && !isspace((unsigned char)*self->at))
            self->at++;
    }
    self->length = (size_t)(self->at - self->token);
}

static bool lexer_is(const lexer_t *self, const char *text)
{
    return self->length == strlen(text) && !memcmp(self->token, text, self->length);
}

static bool lexer_is_word(const lexer_t *self)
{
    return self->length > 0 && !is_special(*self->token);
}

static int unexpected(const lexer_t *self, const char *expected, err_t *err)
{
    return err_set(err, ERR_INVALID, "unable to parse requirement: found '%.*s', expected: %s",
        (int)(self->length < 64 ? self->length : 64), self->token, expected);
}

/* ---- labels ------------------------------------------------------------------------------- */

static int parse_set(lexer_t *lexer, requirement_t *requirement, err_t *err)
{
    lexer_next(lexer);
    if (!lexer_is(lexer, "("))
        return unexpected(lexer, "'('", err);
    for (;;) {
        lexer_next(lexer);
        bool is_word = lexer_is_word(lexer);
        requirement_add_value(requirement, lexer->token, is_word ? lexer->length : 0);
        if (is_word)
            lexer_next(lexer);
        if (lexer_is(lexer, ")"))
            break;
        if (!lexer_is(lexer, ","))
            return unexpected(lexer, "',', or identifier", err);
    }
    lexer_next(lexer);
    return 0;
}

static void parse_value(lexer_t *lexer, requirement_t *requirement)
{
    lexer_next(lexer);
    bool is_word = lexer_is_word(lexer);
    requirement_add_value(requirement, lexer->token, is_word ? lexer->length : 0);
    if (is_word)
        lexer_next(lexer);
}

static int parse_operator(lexer_t *lexer, requirement_t *requirement, err_t *err)
{
    static const struct {
        const char *token;
        selector_op_t op;
        bool is_set;
    } operators[] = {{"=", OP_IN, false}, {"==", OP_IN, false}, {"!=", OP_NOT_EQUAL, false},
        {"in", OP_IN, true}, {"notin", OP_NOT_IN, true}, {">", OP_GREATER, false},
        {"<", OP_LESS, false}};
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        if (!lexer_is(lexer, operators[i].token))
            continue;
        requirement->op = operators[i].op;
        if (operators[i].is_set)
            return parse_set(lexer, requirement, err);
        parse_value(lexer, requirement);
        return 0;
    }
    return unexpected(lexer, "in, notin, =, ==, !=, gt, lt", err);
}

static int parse_requirement(selector_t *self, lexer_t *lexer, err_t *err)
{
    bool is_absent = lexer_is(lexer, "!");
    if (is_absent)
        lexer_next(lexer);
    if (!lexer_is_word(lexer))
        return unexpected(lexer, "!, identifier, or 'end of string'", err);
    requirement_t *requirement = selector_add(
        self, xstrndup(lexer->token, lexer->length), is_absent ? OP_ABSENT : OP_EXISTS);
    lexer_next(lexer);
    if (is_absent || !lexer->length || lexer_is(lexer, ","))
        return 0;
    return parse_operator(lexer, requirement, err);
}

selector_t *selector_parse(const char *text, err_t *err)
{
    AUTO(selector_destroy) selector_t *self = xcalloc(1, sizeof(*self));
    lexer_t lexer = {.at = text};
    lexer_next(&lexer);
    while (lexer.length) {
        if (parse_requirement(self, &lexer, err) < 0)
            return NULL;
        if (!lexer.length)
            break;
        if (!lexer_is(&lexer, ",")) {
            unexpected(&lexer, "',' or 'end of string'", err);
            return NULL;
        }
        lexer_next(&lexer);
        if (!lexer.length) {
            unexpected(&lexer, "identifier after ','", err);
            return NULL;
        }
    }
    return TAKE(self);
}

/* ---- fields ------------------------------------------------------------------------------- */

/* The end of a term: the next comma that is not escaped. */
static const char *term_end(const char *at)
{
    while (*at && *at != ',')
        at += at[0] == '\\' && at[1] ? 2 : 1;
    return at;
}

static void add_unescaped(requirement_t *requirement, const char *at, const char *end)
{
    AUTO_FREE char *value = xcalloc(1, (size_t)(end - at) + 1);
    size_t length = 0;
    for (; at < end; at++) {
        if (*at == '\\' && at + 1 < end)
            at++;
        value[length++] = *at;
    }
    requirement_add_value(requirement, value, length);
}

static int parse_term(
    selector_t *self, const char *text, const char *at, const char *end, err_t *err)
{
    const char *equals = memchr(at, '=', (size_t)(end - at));
    if (!equals)
        return err_set(err, ERR_INVALID, "invalid selector: '%.100s'; can't understand '%.*s'",
            text, (int)(end - at), at);
    bool is_unequal = equals > at && equals[-1] == '!';
    const char *key_end = is_unequal ? equals - 1 : equals;
    const char *value = equals + 1;
    if (!is_unequal && value < end && *value == '=')
        value++;
    add_unescaped(
        selector_add(self, xstrndup(at, (size_t)(key_end - at)), is_unequal ? OP_NOT_EQUAL : OP_IN),
        value, end);
    return 0;
}

selector_t *selector_parse_fields(const char *text, err_t *err)
{
    AUTO(selector_destroy) selector_t *self = xcalloc(1, sizeof(*self));
    for (const char *at = text; *at;) {
        const char *end = term_end(at);
        if (end > at && parse_term(self, text, at, end, err) < 0)
            return NULL;
        at = *end ? end + 1 : end;
    }
    return TAKE(self);
}
