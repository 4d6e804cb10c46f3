#include "services/orchestrator/parser.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/orchestrator/literal.h"

#include <ctype.h>
#include <stdbool.h>

static const char fence[] = "```";

enum { FENCE_LENGTH = 3, CALLS_MAX = 8, BLOCKS_MAX = 64 };

/* What a search found. The first complaint is kept, for when there is no call at all. */
typedef struct search {
    const char *const *actions;
    size_t action_count;
    parsed_t calls[CALLS_MAX];
    size_t call_count;
    size_t block_count;
    char *complaint;
} search_t;

void parser_free(parsed_t *self)
{
    free(self->name);
    json_decref(self->args);
    json_decref(self->kwargs);
    free(self->note);
    *self = (parsed_t){0};
}

static bool is_action(const search_t *self, const char *name)
{
    for (size_t i = 0; i < self->action_count; i++) {
        if (strcmp(self->actions[i], name) == 0)
            return true;
    }
    return false;
}

static void complain(search_t *self, char *complaint /* taken */)
{
    if (self->complaint)
        free(complaint);
    else
        self->complaint = complaint;
}

static size_t name_length(const char *at)
{
    size_t length = 0;
    while (isalnum((unsigned char)at[length]) || at[length] == '_')
        length++;
    return isdigit((unsigned char)*at) ? 0 : length;
}

/* ---- one call ----------------------------------------------------------------------------- */

/* Whether `name =` stands here, which makes it a keyword argument; skips it. */
static char *read_keyword(literal_t *literal)
{
    size_t length = name_length(literal->at);
    const char *after = literal->at + length;
    after += strspn(after, " \t\r\n");
    if (!length || *after != '=' || after[1] == '=')
        return NULL;
    char *keyword = xstrndup(literal->at, length);
    literal->at = after + 1;
    return keyword;
}

static bool read_argument(literal_t *literal, parsed_t *call)
{
    AUTO_FREE char *keyword = read_keyword(literal);
    json_t *value = literal_read(literal);
    if (!value)
        return false;
    if (keyword)
        json_object_set_new(call->kwargs, keyword, value);
    else
        json_array_append_new(call->args, value);
    return true;
}

/* Reads from behind the opening parenthesis to behind the closing one. */
static bool read_arguments(literal_t *literal, parsed_t *call)
{
    for (;;) {
        literal_skip_blank(literal);
        if (*literal->at == ')') {
            literal->at++;
            return true;
        }
        if (!read_argument(literal, call))
            return false;
        literal_skip_blank(literal);
        if (*literal->at == ',') {
            literal->at++;
        } else if (*literal->at != ')') {
            snprintf(literal->complaint, sizeof(literal->complaint),
                *literal->at ? "expected ',' or ')' before '%.20s'" : "a closing ')' is missing%s",
                literal->at);
            return false;
        }
    }
}

static void reset_arguments(parsed_t *call)
{
    json_decref(call->args);
    json_decref(call->kwargs);
    call->args = json_array();
    call->kwargs = json_object();
}

/* Cuts `, timeout=60` off the end of [begin, *end_p). */
static void take_timeout(const char *begin, const char **end_p, parsed_t *call)
{
    const char *digits = *end_p;
    while (digits > begin && isdigit((unsigned char)digits[-1]))
        digits--;
    if (digits == *end_p || *end_p - digits > 6)
        return;
    const char *at = digits;
    static const char *const parts[] = {"=", "timeout", ","};
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        size_t length = strlen(parts[i]);
        while (at > begin && isspace((unsigned char)at[-1]))
            at--;
        if ((size_t)(at - begin) < length || strncmp(at - length, parts[i], length) != 0)
            return;
        at -= length;
    }
    while (at > begin && isspace((unsigned char)at[-1]))
        at--;
    json_object_set_new(call->kwargs, "timeout", json_integer(strtol(digits, NULL, 10)));
    *end_p = at;
}

/* exec_shell("echo "hi""): quotes that should have been escaped. The command is what stands
 * between the first quote and the last one. */
static bool read_raw_command(const char *begin, const char *block_end, parsed_t *call)
{
    static const char keyword[] = "command";
    const char *end = block_end;
    while (end > begin && end[-1] != ')')
        end--;
    if (end == begin)
        return false;
    reset_arguments(call);
    for (end--; end > begin && isspace((unsigned char)end[-1]); end--) {
    }
    take_timeout(begin, &end, call);

    begin += strspn(begin, " \t\r\n");
    if (strncmp(begin, keyword, strlen(keyword)) == 0) {
        begin += strlen(keyword);
        begin += strspn(begin, " \t=");
    }
    if (end - begin < 2 || (*begin != '"' && *begin != '\'') || end[-1] != *begin)
        return false;
    AUTO_FREE char *command = literal_unescape_shell(begin + 1, (size_t)(end - begin) - 2);
    return json_array_append_new(call->args, json_string(command)) == 0;
}

static const char *block_end_of(const char *at)
{
    const char *end = strstr(at, fence);
    return end ? end : at + strlen(at);
}

static void note_rest(search_t *self, parsed_t *call, const char *rest, const char *block_end)
{
    rest += strspn(rest, " \t\r\n;");
    size_t length = name_length(rest);
    if (rest >= block_end || !length || rest[length] != '(')
        return;
    AUTO_FREE char *name = xstrndup(rest, length);
    if (is_action(self, name) && !call->note)
        call->note = xasprintf("Note: only the first action was executed; the one after it, %s, "
                               "was not. Send one action at a time.",
            name);
}

/* Reads the call whose name begins at `at`, if one does. Returns how far it read, NULL if there is
 * none; then *complaint is set if it was meant to be one. */
static const char *read_call(search_t *self, const char *at)
{
    size_t length = name_length(at);
    const char *open = at + length;
    open += strspn(open, " \t");
    if (!length || *open != '(' || self->call_count == CALLS_MAX)
        return NULL;

    parsed_t call = {.name = xstrndup(at, length)};
    literal_t literal = {.at = open + 1, .is_shell = strcmp(call.name, "exec_shell") == 0};
    reset_arguments(&call);
    bool is_good = read_arguments(&literal, &call);
    const char *end = block_end_of(is_good ? literal.at : at);
    if (is_good) {
        note_rest(self, &call, literal.at, end);
    } else if (literal.is_shell) {
        is_good = read_raw_command(open + 1, end, &call);
        literal.at = end;
    }
    if (!is_good) {
        complain(self, xasprintf("The arguments of %s were not understood: %s.", call.name,
                           literal.complaint));
        parser_free(&call);
        return NULL;
    }
    self->calls[self->call_count++] = call;
    return literal.at;
}

/* ---- where to look ------------------------------------------------------------------------ */

/* Skips a language, such as python, if nothing else stands in its line or a call follows. */
static const char *skip_language(const char *at)
{
    const char *word = at + strspn(at, " \t");
    size_t length = strcspn(word, " \t\r\n(`");
    const char *after = word + length;
    after += strspn(after, " \t\r");
    if (*after == '\n' && word[length] != '(' && length < 20)
        return after + 1;
    size_t next = name_length(after);
    bool is_tag = after > word + length && next > 0 && after[next] == '(';
    return is_tag ? after : at;
}

static void complain_of_block(search_t *self, const char *at, const char *end)
{
    int length = 0;
    while (length < 60 && at + length < end && at[length] != '\n')
        length++;
    complain(self,
        length ? xasprintf("'%.*s' is not an action; an action looks like name(arguments). A shell "
                           "command goes into exec_shell(\"…\").",
            length, at)
               : xstrdup("There is nothing between the backticks."));
}

/* Reads the block that begins behind an opening fence. Returns the place behind its end. */
static const char *read_block(search_t *self, const char *at)
{
    at = skip_language(at);
    at += strspn(at, " \t\r\n");
    self->block_count++;
    const char *end = read_call(self, at);
    if (!end) {
        end = block_end_of(at);
        complain_of_block(self, at, end);
    } else {
        end = block_end_of(end);
    }
    return *end ? end + FENCE_LENGTH : end;
}

/* No backticks anywhere: a call of a known action at the beginning of a line, perhaps after
 * "Action:", is meant as one. */
static void read_bare(search_t *self, const char *text)
{
    static const char label[] = "Action:";
    for (const char *line = text; line;) {
        const char *at = line + strspn(line, " \t\r");
        if (strncasecmp(at, label, strlen(label)) == 0)
            at += strlen(label) + strspn(at + strlen(label), " \t");
        size_t length = name_length(at);
        AUTO_FREE char *name = xstrndup(at, length);
        const char *end = is_action(self, name) || at == text ? read_call(self, at) : NULL;
        line = strchr(end ? end : at, '\n');
        line = line ? line + 1 : NULL;
    }
}

/* Of several calls, the only one that names an action is meant; if none does, the first, which
 * then is refused by its name. Returns its index, or -1. */
static int choose(search_t *self)
{
    int chosen = -1;
    for (size_t i = 0; i < self->call_count; i++) {
        if (!is_action(self, self->calls[i].name))
            continue;
        if (chosen >= 0) {
            free(self->complaint);
            self->complaint = xasprintf("There are several actions, %s and %s among them; nothing "
                                        "was executed. Send one action at a time.",
                self->calls[chosen].name, self->calls[i].name);
            return -1;
        }
        chosen = (int)i;
    }
    return chosen < 0 && self->call_count > 0 ? 0 : chosen;
}

int parser_parse(const char *text, const char *const *actions, size_t action_count,
    parsed_t *parsed_p, char **complaint_p)
{
    search_t search = {.actions = actions, .action_count = action_count};
    const char *open = strstr(text, fence);
    if (!open)
        read_bare(&search, text + strspn(text, " \t\r\n"));
    while (open && search.block_count < BLOCKS_MAX) {
        const char *rest = read_block(&search, open + FENCE_LENGTH);
        open = strstr(rest, fence);
    }

    int chosen = choose(&search);
    if (chosen >= 0) {
        *parsed_p = search.calls[chosen];
        search.calls[chosen] = (parsed_t){0};
    } else {
        complain(&search, xstrdup("There is no action in it: no pair of three backticks with a "
                                  "call between them."));
        *complaint_p = TAKE(search.complaint);
    }
    free(search.complaint);
    for (size_t i = 0; i < search.call_count; i++)
        parser_free(&search.calls[i]);
    return chosen >= 0 ? 0 : -1;
}
