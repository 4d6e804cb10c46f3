/* jansson keeps the last of two values and does not say so. What it tells apart for us is whether a
 * text has such keys at all: only then is it read once more, with a path. */
#include "services/cluster/env/api/duplicates.h"

#include "base/auto.h"
#include "base/mem.h"

enum { PATH_SIZE = 512 /* longer ones are cut off */ };

/* A place in a text that is known to be JSON. */
typedef struct scan {
    const char *at;
    const char *end;
    json_t *found;
} scan_t;

static void scan_value(scan_t *self, const char *path);

static void skip_blanks(scan_t *self)
{
    while (self->at < self->end && strchr(" \t\r\n", *self->at))
        self->at++;
}

static bool skip_char(scan_t *self, char c)
{
    skip_blanks(self);
    bool is_there = self->at < self->end && *self->at == c;
    self->at += is_there;
    return is_there;
}

static void skip_string(scan_t *self)
{
    self->at++;
    while (self->at < self->end && *self->at != '"')
        self->at += *self->at == '\\' ? 2 : 1;
    self->at++;
}

static char *read_key(scan_t *self)
{
    skip_blanks(self);
    const char *start = self->at;
    skip_string(self);
    json_auto_t *key = json_loadb(start, (size_t)(self->at - start), JSON_DECODE_ANY, NULL);
    skip_char(self, ':');
    return xstrdup(key ? json_string_value(key) : "");
}

static void scan_object(scan_t *self, const char *path)
{
    json_auto_t *keys = json_object();
    while (self->at < self->end && !skip_char(self, '}')) {
        AUTO_FREE char *key = read_key(self);
        char inner[PATH_SIZE];
        snprintf(inner, sizeof(inner), "%s%s%s", path, *path ? "." : "", key);
        const json_t *seen = json_object_get(keys, key);
        if (json_is_false(seen))
            json_array_append_new(self->found, json_sprintf("duplicate field \"%s\"", inner));
        json_object_set_new(keys, key, json_boolean(seen != NULL));
        scan_value(self, inner);
        skip_char(self, ',');
    }
}

static void scan_array(scan_t *self, const char *path)
{
    for (size_t i = 0; self->at < self->end && !skip_char(self, ']'); i++) {
        char inner[PATH_SIZE];
        snprintf(inner, sizeof(inner), "%s[%zu]", path, i);
        scan_value(self, inner);
        skip_char(self, ',');
    }
}

static void scan_value(scan_t *self, const char *path)
{
    if (skip_char(self, '{')) {
        scan_object(self, path);
    } else if (skip_char(self, '[')) {
        scan_array(self, path);
    } else if (self->at < self->end && *self->at == '"') {
        skip_string(self);
    } else {
        while (self->at < self->end && !strchr(",]} \t\r\n", *self->at))
            self->at++;
    }
}

void duplicates_find(const char *text, size_t size, json_t *found)
{
    scan_t self = {.at = text, .end = text + size, .found = found};
    json_auto_t *strict = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    json_auto_t *lax = strict ? NULL : json_loadb(text, size, 0, NULL);
    if (lax)
        scan_value(&self, "");
}
