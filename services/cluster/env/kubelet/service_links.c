/* Variables about Services, in the form that Docker's links once had. */
#include "services/cluster/env/kubelet/variables.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <ctype.h>
#include <string.h>

static char *upper(const char *name)
{
    char *text = xstrdup(name);
    for (char *c = text; *c; c++)
        *c = (char)(*c == '-' ? '_' : toupper(*c));
    return text;
}

static void set_joined(json_t *variables, const char *prefix, const char *suffix, const char *value)
{
    AUTO_FREE char *name = xasprintf("%s%s", prefix, suffix);
    variables_set(variables, name, value);
}

/* WEB_PORT_80_TCP and what begins with it. */
static void add_link(
    json_t *variables, const char *prefix, const char *address, const json_t *port, bool is_first)
{
    const char *given = object_string(port, "protocol");
    AUTO_FREE char *protocol = upper(*given ? given : "TCP");
    AUTO_FREE char *lower = xstrdup(protocol);
    for (char *c = lower; *c; c++)
        *c = (char)tolower(*c);
    AUTO_FREE char *number = xasprintf("%lld", (long long)object_integer(port, "port", 0));
    AUTO_FREE char *url = xasprintf("%s://%s:%s", lower, address, number);
    AUTO_FREE char *link = xasprintf("%s_PORT_%s_%s", prefix, number, protocol);
    if (is_first)
        set_joined(variables, prefix, "_PORT", url);
    set_joined(variables, link, "", url);
    set_joined(variables, link, "_PROTO", lower);
    set_joined(variables, link, "_PORT", number);
    set_joined(variables, link, "_ADDR", address);
}

static void add_service(void *arg, json_t *service)
{
    json_t *variables = arg;
    const char *address = object_string(service, "spec.clusterIP");
    if (!*address || strcmp(address, "None") == 0)
        return;
    AUTO_FREE char *prefix = upper(object_name(service));
    set_joined(variables, prefix, "_SERVICE_HOST", address);
    size_t i;
    json_t *port;
    json_array_foreach(object_at(service, "spec.ports"), i, port)
    {
        AUTO_FREE char *number = xasprintf("%lld", (long long)object_integer(port, "port", 0));
        AUTO_FREE char *name = upper(object_string(port, "name"));
        AUTO_FREE char *named = xasprintf("_SERVICE_PORT_%s", name);
        if (i == 0)
            set_joined(variables, prefix, "_SERVICE_PORT", number);
        if (*name)
            set_joined(variables, prefix, named, number);
        add_link(variables, prefix, address, port, i == 0);
    }
}

void variables_add_services(json_t *variables, const downward_t *pod)
{
    const kind_t *kind = kind_find("Service");
    json_t *api = store_get(pod->store, kind, "default", "kubernetes");
    if (api)
        add_service(variables, api);
    if (!json_is_false(object_at(pod->pod, "spec.enableServiceLinks")))
        store_each(pod->store, kind, object_namespace(pod->pod), add_service, variables);
}
