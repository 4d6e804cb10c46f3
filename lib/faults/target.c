#include "faults/target.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>

/* RFC 1123 subdomain, as Kubernetes names objects. */
static bool is_name(const char *text)
{
    size_t length = strlen(text);
    for (const char *at = text; *at; at++) {
        bool is_inner = at != text && at[1];
        if (!islower((unsigned char)*at) && !isdigit((unsigned char)*at)
            && !(is_inner && (*at == '-' || *at == '.')))
            return false;
    }
    return length > 0 && length <= 253;
}

/* KEY=VALUE[,KEY=VALUE]; the API server looks closer. */
static bool is_selector(const char *text)
{
    const char *equals = strchr(text, '=');
    return equals && equals != text && equals[1] && equals[1] != ',';
}

/* What follows a prefix, or NULL if text does not begin with it. */
static const char *after(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

static int fail(const char *text, const char *why, err_t *err)
{
    return err_set(err, ERR_INVALID,
        "the target '%.60s' %s; a target is NAME, label:KEY=VALUE, role:ROLE, random, or "
        "random:label:… or random:role:…",
        text, why);
}

int target_parse(const char *text, target_t *target, err_t *err)
{
    *target = (target_t){0};
    const char *rest = after(text, "random:");
    target->is_random = rest || strcmp(text, "random") == 0;
    if (target->is_random && !rest) {
        target->labels = xstrdup("");
        return 0;
    }
    rest = rest ? rest : text;
    const char *labels = after(rest, "label:");
    const char *role = after(rest, "role:");
    if (labels) {
        if (!is_selector(labels))
            return fail(text, "has no KEY=VALUE", err);
        target->labels = xstrdup(labels);
    } else if (role) {
        if (!is_name(role))
            return fail(text, "has no role", err);
        target->labels = xasprintf(TARGET_ROLE_LABEL "=%s", role);
    } else if (target->is_random || !is_name(rest)) {
        return fail(text, "is no name", err);
    } else {
        target->name = xstrdup(rest);
    }
    return 0;
}

void target_done(target_t *target)
{
    free(target->name);
    free(target->labels);
    *target = (target_t){0};
}
