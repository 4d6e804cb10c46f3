#include "services/cluster/env/api/http_headers.h"

#include "services/cluster/env/api/impersonate.h"
#include "services/cluster/env/api/peer.h"

#include "base/auto.h"
#include "base/mem.h"

static char *header_copy(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value ? xstrdup(value) : NULL;
}

/* The protocols that a client would speak after an upgrade come in as many headers as it likes. */
static void add_protocol(request_t *request, const char *name, const char *value)
{
    if (strcasecmp(name, "Sec-WebSocket-Protocol") != 0
        && strcasecmp(name, "X-Stream-Protocol-Version") != 0)
        return;
    char *before = request->upgrade_protocols;
    request->upgrade_protocols =
        xasprintf("%s%s%s", before ? before : "", before ? ", " : "", value);
    free(before);
}

static enum MHD_Result on_header(
    void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    request_t *request = arg;
    (void)kind;
    impersonation_add(&request->impersonation, name, value ? value : "");
    add_protocol(request, name, value ? value : "");
    return MHD_YES;
}

static void read_peer(struct MHD_Connection *connection, request_t *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    request->has_bad_certificate = info && peer_read(info->tls_session, &request->peer) == PEER_BAD;
}

void http_headers_read(struct MHD_Connection *connection, const char *method, request_t *request)
{
    AUTO_FREE char *authorization = header_copy(connection, "Authorization");
    free(request->method);
    request->method = xstrdup(method);
    request->accept = header_copy(connection, "Accept");
    request->content_type = header_copy(connection, "Content-Type");
    request->upgrade = header_copy(connection, "Upgrade");
    request->websocket_key = header_copy(connection, "Sec-WebSocket-Key");
    if (authorization && !strncasecmp(authorization, "Bearer ", 7))
        request->token = xstrdup(authorization + 7 + strspn(authorization + 7, " "));
    MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, request);
    read_peer(connection, request);
}
