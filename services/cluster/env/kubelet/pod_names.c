#include "services/cluster/env/kubelet/pod_names.h"

#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <stdio.h>
#include <string.h>

/* A node of kind asks the machine's; there is none behind an environment, which is told at once. */
static const char node_server[] = "172.18.0.1";

/* ---- resolv.conf ------------------------------------------------------------------------------
 */

static bool has_text(const json_t *list, const char *text)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
    {
        if (strcmp(json_string_value(entry), text) == 0)
            return true;
    }
    return false;
}

static void add_texts(json_t *list, const json_t *more)
{
    size_t i;
    json_t *entry;
    json_array_foreach(more, i, entry)
    {
        if (json_is_string(entry) && !has_text(list, json_string_value(entry)))
            json_array_append(list, entry);
    }
}

static void write_line(FILE *out, const char *word, const json_t *list)
{
    size_t i;
    json_t *entry;
    if (!json_array_size(list))
        return;
    fputs(word, out);
    json_array_foreach(list, i, entry) fprintf(out, " %s", json_string_value(entry));
    fputc('\n', out);
}

/* Each option once; what the pod says of it holds. */
static void write_options(FILE *out, const char *first, const json_t *options)
{
    json_auto_t *values = json_object(); /* name -> "name:value" */
    size_t i;
    json_t *option;
    const char *name;
    if (*first)
        json_object_set_new(values, "ndots", json_string(first));
    json_array_foreach(options, i, option)
    {
        const char *value = object_string(option, "value");
        name = object_string(option, "name");
        json_object_set_new(values, name, json_sprintf("%s%s%s", name, *value ? ":" : "", value));
    }
    if (json_object_size(values))
        fputs("options", out);
    json_object_foreach(values, name, option) fprintf(out, " %s", json_string_value(option));
    if (json_object_size(values))
        fputc('\n', out);
}

char *pod_names_resolv_conf(const json_t *pod)
{
    const char *policy = object_string(pod, "spec.dnsPolicy");
    bool is_node = strcmp(policy, "Default") == 0;
    bool is_own = strcmp(policy, "None") == 0;
    json_auto_t *servers = json_array();
    json_auto_t *searches = json_array();
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!is_own)
        json_array_append_new(servers, json_string(is_node ? node_server : "10.96.0.10"));
    if (!is_own && !is_node) {
        json_array_append_new(
            searches, json_sprintf("%s.svc.cluster.local", object_namespace(pod)));
        json_array_append_new(searches, json_string("svc.cluster.local"));
        json_array_append_new(searches, json_string("cluster.local"));
    }
    add_texts(servers, object_at(pod, "spec.dnsConfig.nameservers"));
    add_texts(searches, object_at(pod, "spec.dnsConfig.searches"));
    write_line(out, "search", searches);
    size_t i;
    json_t *server;
    json_array_foreach(servers, i, server)
        fprintf(out, "nameserver %s\n", json_string_value(server));
    write_options(
        out, is_own || is_node ? "" : "ndots:5", object_at(pod, "spec.dnsConfig.options"));
    fclose(out);
    return mem_check(text);
}

/* ---- hosts ------------------------------------------------------------------------------------
 */

static void write_own(FILE *out, const json_t *pod, const char *address)
{
    const char *hostname = object_string(pod, "spec.hostname");
    const char *subdomain = object_string(pod, "spec.subdomain");
    const char *name = *hostname ? hostname : object_name(pod);
    fprintf(out, "%s\t", address);
    if (*subdomain)
        fprintf(out, "%s.%s.%s.svc.cluster.local\t", name, subdomain, object_namespace(pod));
    fprintf(out, "%s\n", name);
}

char *pod_names_hosts(const json_t *pod, const char *address)
{
    const json_t *aliases = object_at(pod, "spec.hostAliases");
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    size_t i, j;
    json_t *alias;
    json_t *name;
    fputs("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n", out);
    write_own(out, pod, address);
    if (json_array_size(aliases))
        fputs("\n# Entries added by HostAliases.\n", out);
    json_array_foreach(aliases, i, alias)
    {
        fputs(object_string(alias, "ip"), out);
        json_array_foreach(json_object_get(alias, "hostnames"), j, name)
        {
            if (json_is_string(name))
                fprintf(out, "\t%s", json_string_value(name));
        }
        fputc('\n', out);
    }
    fclose(out);
    return mem_check(text);
}
