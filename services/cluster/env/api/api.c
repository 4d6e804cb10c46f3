/* Life cycle, and which part answers which path. */
#include "services/cluster/env/api/api_internal.h"

#include "services/cluster/env/api/authenticate.h"
#include "services/cluster/env/api/route.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/api/wish.h"

#include "base/auto.h"
#include "base/mem.h"

#include <unistd.h>

/* ---- dispatch ----------------------------------------------------------------------------- */

static void handle_collection(api_t *self, request_t *request, const target_t *target)
{
    if (!strcmp(request->method, "GET") && request_flag(request, "watch"))
        watch_start(self, request, target);
    else if (!strcmp(request->method, "GET"))
        read_list(self, request, target);
    else if (!strcmp(request->method, "POST"))
        write_create(self, request, target);
    else if (!strcmp(request->method, "DELETE"))
        write_delete_all(self, request, target);
    else
        reply_not_allowed(request);
}

static void handle_object(api_t *self, request_t *request, const target_t *target)
{
    if (!strcmp(request->method, "GET") && request_flag(request, "watch"))
        watch_start(self, request, target);
    else if (!strcmp(request->method, "GET"))
        read_object(self, request, target);
    else if (!strcmp(request->method, "PUT"))
        write_replace(self, request, target);
    else if (!strcmp(request->method, "PATCH"))
        write_patch(self, request, target);
    else if (!strcmp(request->method, "DELETE") && !target->subresource)
        write_delete(self, request, target);
    else
        reply_not_allowed(request);
}

/* Those that are the object itself, of which not everything may be changed. */
static bool is_part_of_object(const target_t *target)
{
    return !strcmp(target->subresource, "status")
           || (!strcmp(target->subresource, "approval")
               && kind_is(target->kind, "CertificateSigningRequest"))
           || (!strcmp(target->subresource, "ephemeralcontainers") && kind_is(target->kind, "Pod"));
}

static bool is_account(const api_t *self, const target_t *target)
{
    return self->account_tokens && kind_is(target->kind, "ServiceAccount");
}

static void handle_resource(api_t *self, request_t *request, const target_t *target)
{
    if (!target->name)
        handle_collection(self, request, target);
    else if (!target->subresource || is_part_of_object(target))
        handle_object(self, request, target);
    else if (!strcmp(target->subresource, "scale"))
        scale_handle(self, request, target);
    else if (!strcmp(target->subresource, "eviction") && kind_is(target->kind, "Pod"))
        eviction_handle(self, request, target);
    else if (!strcmp(target->subresource, "token") && is_account(self, target))
        token_request_handle(self, request, target);
    else
        node_handle(self, request, target);
}

static void dispatch(api_t *self, request_t *request, const access_t *access)
{
    target_t target;
    if (discovery_handle(self, request) || review_handle(self, request, access)
        || metrics_handle(self, request) || old_versions_handle(self, request))
        return;
    if (route_parse(self->store, request->path, &target))
        handle_resource(self, request, &target);
    else
        reply_bytes(request, 404, "text/plain; charset=utf-8", "404 page not found\n", 19);
    target_done(&target);
}

void api_handle(api_t *self, request_t *request)
{
    AUTO(wish_done) wish_t wish;
    request->owner = self;
    wish_init(&wish, request);
    if (!authenticate(self, request))
        return;
    if (request->is_too_large)
        reply_status(request, 413, "RequestEntityTooLarge", NULL,
            "Request entity too large: limit is 3145728");
    else if (authorize(self, request, &wish.access))
        dispatch(self, request, &wish.access);
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void on_request(void *arg, request_t *request)
{
    api_handle(arg, request);
}

static void copy_tokens(api_t *self, const api_config_t *config)
{
    self->tokens = xcalloc(config->token_count + 1, sizeof(known_token_t));
    self->token_count = config->token_count;
    for (size_t i = 0; i < config->token_count; i++) {
        const api_token_t *token = &config->tokens[i];
        self->tokens[i] = (known_token_t){.token = xstrdup(token->token)};
        user_init(&self->tokens[i].user, token->user, "");
        for (size_t j = 0; token->groups && token->groups[j]; j++)
            user_add_group(&self->tokens[i].user, token->groups[j]);
        user_add_group(&self->tokens[i].user, GROUP_AUTHENTICATED);
    }
}

api_t *api_bare(ev_t *ev, store_t *store, const api_config_t *config)
{
    api_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->store = store;
    self->node = config->node;
    self->node_arg = config->node_arg;
    self->account_tokens = config->account_tokens;
    self->usage = config->usage;
    copy_tokens(self, config);
    self->store_watch = store_watch(store, NULL, watch_on_change, self);
    return self;
}

api_t *api_new(ev_t *ev, store_t *store, const api_config_t *config, err_t *err)
{
    AUTO(api_destroy) api_t *self = api_bare(ev, store, config);
    self->servers = xcalloc(config->listen_count + 1, sizeof(http_server_t *));
    const http_tls_t tls = {.cert_pem = config->cert_pem,
        .key_pem = config->key_pem,
        .client_ca_pem = config->client_ca_pem};
    for (size_t i = 0; i < config->listen_count; i++) {
        http_server_t *server = http_server_new(ev, config->listen_fds[i], &tls, err);
        if (!server) {
            for (; i < config->listen_count; i++)
                close(config->listen_fds[i]);
            return NULL;
        }
        http_server_handle(server, on_request, self);
        self->servers[self->server_count++] = server;
    }
    return TAKE(self);
}

void api_destroy(api_t **self_p)
{
    api_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    store_watch_end(&self->store_watch);
    watch_end_all(self);
    for (size_t i = 0; i < self->server_count; i++)
        http_server_destroy(&self->servers[i]);
    free(self->servers);
    for (size_t i = 0; i < self->token_count; i++) {
        free(self->tokens[i].token);
        user_done(&self->tokens[i].user);
    }
    free(self->tokens);
    free(self);
}
