#include "services/telemetry/exposition.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 64, LABEL_NAME_SIZE = 128 };

void exposition_init(exposition_t *self, const char *text, size_t size)
{
    *self = (exposition_t){.at = text, .end = text + size};
}

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == ':';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* The closing brace of labels that begin at `at`, minding quotes; NULL if there is none. */
static const char *end_of_labels(const char *at, const char *end)
{
    bool is_quoted = false;
    for (; at < end; at++) {
        if (is_quoted && *at == '\\' && at + 1 < end)
            at++;
        else if (*at == '"')
            is_quoted = !is_quoted;
        else if (*at == '}' && !is_quoted)
            return at;
    }
    return NULL;
}

static bool read_value(const char *at, const char *end, double *value)
{
    char text[NUMBER_SIZE];
    size_t length = 0;
    at = skip_blanks(at, end);
    while (at < end && *at != ' ' && *at != '\t' && *at != '\r' && length < NUMBER_SIZE - 1)
        text[length++] = *at++;
    text[length] = '\0';
    char *rest = NULL;
    *value = strtod(text, &rest);
    return length > 0 && *rest == '\0';
}

static bool read_line(const char *at, const char *end, sample_t *sample)
{
    at = skip_blanks(at, end);
    *sample = (sample_t){.name = at, .labels = ""};
    while (at < end && is_name(*at))
        at++;
    sample->name_length = (size_t)(at - sample->name);
    if (sample->name_length == 0 || isdigit((unsigned char)sample->name[0]))
        return false;
    at = skip_blanks(at, end);
    if (at < end && *at == '{') {
        const char *close = end_of_labels(++at, end);
        if (!close)
            return false;
        sample->labels = at;
        sample->labels_length = (size_t)(close - at);
        at = close + 1;
    }
    return read_value(at, end, &sample->value);
}

bool exposition_next(exposition_t *self, sample_t *sample)
{
    while (self->at < self->end) {
        const char *line = self->at;
        const char *end = memchr(line, '\n', (size_t)(self->end - line));
        end = end ? end : self->end;
        self->at = end < self->end ? end + 1 : end;
        if (read_line(line, end, sample))
            return true;
    }
    return false;
}

/* ---- labels ------------------------------------------------------------------------------- */

/* Copies a quoted value from behind its first quote; returns the place behind its last. */
static size_t read_quoted(
    const char *labels, size_t length, size_t at, char *value, size_t value_size)
{
    size_t used = 0;
    while (at < length && labels[at] != '"') {
        char c = labels[at++];
        if (c == '\\' && at < length) {
            c = labels[at++];
            if (c == 'n')
                c = '\n';
        }
        if (used + 1 < value_size)
            value[used++] = c;
    }
    value[used] = '\0';
    return at < length ? at + 1 : at;
}

bool exposition_next_label(const char *labels, size_t length, size_t *at, char *name,
    size_t name_size, char *value, size_t value_size)
{
    size_t i = *at;
    size_t used = 0;
    while (i < length && !is_name(labels[i]))
        i++;
    while (i < length && is_name(labels[i])) {
        if (used + 1 < name_size)
            name[used++] = labels[i];
        i++;
    }
    name[used] = '\0';
    while (i < length && labels[i] != '"')
        i++;
    if (i >= length || used == 0)
        return false;
    *at = read_quoted(labels, length, i + 1, value, value_size);
    return true;
}

bool exposition_label(
    const char *labels, size_t length, const char *name, char *value, size_t value_size)
{
    char found[LABEL_NAME_SIZE];
    size_t at = 0;
    while (exposition_next_label(labels, length, &at, found, sizeof(found), value, value_size)) {
        if (strcmp(found, name) == 0)
            return true;
    }
    value[0] = '\0';
    return false;
}
