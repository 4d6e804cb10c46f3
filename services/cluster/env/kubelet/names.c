/* Names after the Kubernetes DNS specification 1.1.0 and, where it is silent, CoreDNS's kubernetes
 * plugin: Services, endpoints of headless ones, pods by their dashed address, and the way back. */
#include "services/cluster/env/kubelet/names.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define SERVICE_NAME "kubernetes.io/service-name"

enum { LABEL_LIMIT = 8, WEIGHT = 100 };

static const char zone[] = "cluster.local";

/* A question, taken apart: its labels below the zone, from the right. */
typedef struct asked {
    store_t *store;
    uint16_t type;
    dns_answer_t *answer;
    const char *labels[LABEL_LIMIT]; /* "svc", namespace, service, … */
    size_t count;
} asked_t;

static bool is_headless(const json_t *service)
{
    return strcmp(object_string(service, "spec.clusterIP"), "None") == 0;
}

static void add_address(dns_answer_t *answer, const char *owner, const char *text, bool is_extra)
{
    struct in_addr address;
    dns_record_t *record =
        inet_pton(AF_INET, text, &address) == 1 ? dns_answer_add(answer, DNS_A) : NULL;
    if (!record)
        return;
    record->address = address;
    record->is_extra = is_extra;
    snprintf(record->owner, sizeof(record->owner), "%s", owner);
}

static void add_target(dns_answer_t *answer, dns_type_t type, const char *target)
{
    dns_record_t *record = dns_answer_add(answer, type);
    if (record)
        snprintf(record->target, sizeof(record->target), "%s", target);
}

static char *service_domain(const json_t *service)
{
    return xasprintf("%s.%s.svc.%s", object_name(service), object_namespace(service), zone);
}

/* ---- endpoints ------------------------------------------------------------------------------ */

/* An endpoint's own name below its Service: its host name, or its address with dashes. */
static void endpoint_label(const json_t *endpoint, const char *address, char label[64])
{
    const char *hostname = object_string(endpoint, "hostname");
    snprintf(label, 64, "%s", *hostname ? hostname : address);
    for (char *c = strchr(label, '.'); !*hostname && c; c = strchr(c, '.'))
        *c = '-';
}

typedef struct visit {
    const json_t *service;
    void (*fn)(struct visit *self, const json_t *slice, const char *label, const char *address);
    asked_t *asked;
    const char *label;    /* the endpoint that is looked for, or NULL: all */
    const char *port;     /* the name of the port that is asked for, or NULL: all … */
    const char *protocol; /* … with its protocol */
    const char *address;  /* that is looked for */
    char *found;          /* the label of the endpoint that has it, for free() */
} visit_t;

static void visit_endpoint(visit_t *self, const json_t *slice, const json_t *endpoint)
{
    size_t i;
    json_t *address;
    if (json_is_false(object_at(endpoint, "conditions.ready")))
        return;
    json_array_foreach(json_object_get(endpoint, "addresses"), i, address)
    {
        char label[64];
        const char *text = json_is_string(address) ? json_string_value(address) : "";
        endpoint_label(endpoint, text, label);
        if (!self->label || strcmp(self->label, label) == 0)
            self->fn(self, slice, label, text);
    }
}

static void visit_slice(void *arg, json_t *slice)
{
    visit_t *self = arg;
    const char *service = object_label(slice, SERVICE_NAME);
    size_t i;
    json_t *endpoint;
    if (!service || strcmp(service, object_name(self->service)) != 0
        || strcmp(object_string(slice, "addressType"), "IPv4") != 0)
        return;
    json_array_foreach(json_object_get(slice, "endpoints"), i, endpoint)
        visit_endpoint(self, slice, endpoint);
}

static void visit_endpoints(visit_t *self)
{
    store_each(self->asked->store, kind_find("EndpointSlice"), object_namespace(self->service),
        visit_slice, self);
}

static void add_endpoint(visit_t *self, const json_t *slice, const char *label, const char *address)
{
    (void)slice, (void)label;
    self->asked->answer->is_known = true;
    if (self->asked->type == DNS_A || self->asked->type == DNS_ANY)
        add_address(self->asked->answer, "", address, false);
}

/* ---- SRV ------------------------------------------------------------------------------------ */

static bool is_port_meant(const visit_t *self, const json_t *port)
{
    const char *protocol = object_string(port, "protocol");
    return !self->port
           || (strcmp(object_string(port, "name"), self->port) == 0
               && strcasecmp(*protocol ? protocol : "TCP", self->protocol) == 0);
}

static void add_service_record(
    visit_t *self, const json_t *port, const char *target, const char *address)
{
    dns_answer_t *answer = self->asked->answer;
    answer->is_known = true;
    dns_record_t *record = self->asked->type == DNS_SRV ? dns_answer_add(answer, DNS_SRV) : NULL;
    if (!record)
        return;
    record->port = (uint16_t)object_integer(port, "port", 0);
    record->weight = WEIGHT;
    snprintf(record->target, sizeof(record->target), "%s", target);
    add_address(answer, target, address, true);
}

static void add_endpoint_ports(
    visit_t *self, const json_t *slice, const char *label, const char *address)
{
    AUTO_FREE char *domain = service_domain(self->service);
    AUTO_FREE char *target = xasprintf("%s.%s", label, domain);
    size_t i;
    json_t *port;
    json_array_foreach(json_object_get(slice, "ports"), i, port)
    {
        if (is_port_meant(self, port))
            add_service_record(self, port, target, address);
    }
}

/* Of a headless Service every endpoint is one; of others the Service itself. */
static void answer_ports(visit_t *self)
{
    size_t i;
    json_t *port;
    if (is_headless(self->service)) {
        self->fn = add_endpoint_ports;
        visit_endpoints(self);
        return;
    }
    AUTO_FREE char *target = service_domain(self->service);
    json_array_foreach(object_at(self->service, "spec.ports"), i, port)
    {
        if (is_port_meant(self, port))
            add_service_record(self, port, target, object_string(self->service, "spec.clusterIP"));
    }
}

/* ---- Services ------------------------------------------------------------------------------- */

/* The name that it stands for, and if that is of this cluster its addresses. */
static void answer_alias(asked_t *asked, const json_t *service)
{
    const char *target = object_string(service, "spec.externalName");
    add_target(asked->answer, DNS_CNAME, target);
    if (asked->type != DNS_A)
        return;
    AUTO_FREE dns_answer_t *further = xcalloc(1, sizeof(*further));
    AUTO_FREE char *other = xasprintf("%.*s", DNS_NAME_LIMIT, target);
    size_t length = strlen(other);
    bool is_ours = length > sizeof(zone) && strcmp(other + length - (sizeof(zone) - 1), zone) == 0;
    if (is_ours)
        names_lookup(asked->store, other, DNS_AAAA, further);
    if (!further->is_known || further->count) /* not there, or an alias again: not followed */
        return;
    names_lookup(asked->store, other, DNS_A, further);
    for (size_t i = 0; i < further->count; i++) {
        char text[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, &further->records[i].address, text, sizeof(text));
        add_address(asked->answer, other, text, false);
    }
}

static void answer_service(asked_t *asked, const json_t *service)
{
    visit_t visit = {.service = service, .asked = asked, .fn = add_endpoint};
    asked->answer->is_known = true;
    if (strcmp(object_string(service, "spec.type"), "ExternalName") == 0)
        answer_alias(asked, service);
    else if (asked->type == DNS_SRV)
        answer_ports(&visit);
    else if (is_headless(service))
        visit_endpoints(&visit);
    else if (asked->type == DNS_A || asked->type == DNS_ANY)
        add_address(asked->answer, "", object_string(service, "spec.clusterIP"), false);
}

/* service, endpoint.service or _port._protocol.service, after namespace.svc. */
static void answer_below_namespace(asked_t *asked)
{
    const json_t *service =
        store_get(asked->store, kind_find("Service"), asked->labels[1], asked->labels[2]);
    visit_t visit = {.service = service, .asked = asked, .fn = add_endpoint};
    if (!service)
        return;
    if (asked->count == 3) {
        answer_service(asked, service);
    } else if (asked->count == 4 && asked->labels[3][0] == '_') {
        asked->answer->is_known = true; /* there is more below it */
    } else if (asked->count == 4 && is_headless(service)) {
        visit.label = asked->labels[3];
        visit_endpoints(&visit);
    } else if (asked->count == 5 && asked->labels[3][0] == '_' && asked->labels[4][0] == '_') {
        visit.protocol = asked->labels[3] + 1;
        visit.port = asked->labels[4] + 1;
        answer_ports(&visit);
    }
}

/* 10-244-0-7.namespace.pod says what it is called. */
static void answer_pod(asked_t *asked)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr address;
    snprintf(text, sizeof(text), "%s", asked->labels[2]);
    for (char *c = strchr(text, '-'); c; c = strchr(c, '-'))
        *c = '.';
    asked->answer->is_known = inet_pton(AF_INET, text, &address) == 1;
    if (asked->answer->is_known && asked->type == DNS_A)
        add_address(asked->answer, "", text, false);
}

static void answer_zone(asked_t *asked)
{
    asked->answer->is_known = true;
    if (asked->count == 0 && asked->type == DNS_SOA)
        (void)dns_answer_add(asked->answer, DNS_SOA);
    if (asked->count == 0 && asked->type == DNS_NS)
        add_target(asked->answer, DNS_NS, "ns.dns.cluster.local");
}

static void answer_in_zone(asked_t *asked)
{
    bool is_service = asked->count && strcmp(asked->labels[0], "svc") == 0;
    bool is_pod = asked->count && strcmp(asked->labels[0], "pod") == 0;
    if (asked->count == 2 && strcmp(asked->labels[0], "dns") == 0
        && strcmp(asked->labels[1], "ns") == 0) {
        asked->answer->is_known = true;
        if (asked->type == DNS_A)
            add_address(asked->answer, "", "10.96.0.10", false);
        return;
    }
    if (asked->count && !is_service && !is_pod)
        return;
    if (asked->count < 2)
        answer_zone(asked);
    else if (!store_get(asked->store, kind_find("Namespace"), NULL, asked->labels[1]))
        return;
    else if (asked->count == 2)
        asked->answer->is_known = true;
    else if (is_service)
        answer_below_namespace(asked);
    else if (asked->count == 3)
        answer_pod(asked);
}

/* ---- the way back --------------------------------------------------------------------------- */

static void compare_endpoint(
    visit_t *self, const json_t *slice, const char *label, const char *address)
{
    (void)slice;
    if (!self->found && strcmp(address, self->address) == 0)
        self->found = xstrdup(label);
}

typedef struct back {
    asked_t *asked;
    const char *address;
} back_t;

static void compare_service(void *arg, json_t *service)
{
    const back_t *self = arg;
    visit_t visit = {
        .service = service, .asked = self->asked, .fn = compare_endpoint, .address = self->address};
    AUTO_FREE char *domain = service_domain(service);
    bool is_own = strcmp(object_string(service, "spec.clusterIP"), self->address) == 0;
    if (self->asked->answer->count && !is_own)
        return;
    if (is_own) {
        self->asked->answer->count = 0; /* a Service's address is nobody else's */
        add_target(self->asked->answer, DNS_PTR, domain);
        return;
    }
    visit_endpoints(&visit);
    AUTO_FREE char *found = visit.found;
    AUTO_FREE char *name = xasprintf("%s.%s", found ? found : "", domain);
    if (found)
        add_target(self->asked->answer, DNS_PTR, name);
}

static void answer_back(asked_t *asked, const char *name)
{
    unsigned parts[4];
    int end = 0;
    char address[INET_ADDRSTRLEN];
    if (sscanf(name, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &parts[3], &parts[2], &parts[1], &parts[0],
            &end)
            != 4
        || !end || name[end])
        return;
    snprintf(address, sizeof(address), "%u.%u.%u.%u", parts[0], parts[1], parts[2], parts[3]);
    back_t back = {.asked = asked, .address = address};
    store_each(asked->store, kind_find("Service"), NULL, compare_service, &back);
    asked->answer->is_known = asked->answer->count > 0;
    if (asked->type != DNS_PTR)
        asked->answer->count = 0;
}

/* ---- looking up ----------------------------------------------------------------------------- */

/* The labels below the zone, from the right; text is cut into them. False: not of the zone. */
static bool split(asked_t *asked, char *text)
{
    size_t length = strlen(text);
    size_t zone_length = sizeof(zone) - 1;
    if (length < zone_length || strcmp(text + length - zone_length, zone) != 0
        || (length > zone_length && text[length - zone_length - 1] != '.'))
        return false;
    text[length > zone_length ? length - zone_length - 1 : 0] = '\0';
    while (*text && asked->count < LABEL_LIMIT) {
        char *dot = strrchr(text, '.');
        asked->labels[asked->count++] = dot ? dot + 1 : text;
        if (!dot)
            break;
        *dot = '\0';
    }
    return true;
}

void names_lookup(store_t *store, const char *name, uint16_t type, dns_answer_t *answer)
{
    asked_t asked = {.store = store, .type = type, .answer = answer};
    AUTO_FREE char *text = xstrdup(name);
    answer->is_zone = split(&asked, text);
    if (answer->is_zone)
        answer_in_zone(&asked);
    else
        answer_back(&asked, name);
}
