/* The documents: which there are, and what is in each. */
#include "services/cluster/env/api/openapi.h"

#include "base/auto.h"
#include "base/mem.h"

static const char protobuf_type[] = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/* ---- what is served ----------------------------------------------------------------------- */

/* "api/v1" or "apis/apps/v1" */
static char *root_of(const served_t *served)
{
    return *served->group ? xasprintf("apis/%s/%s", served->group, served->version)
                          : xasprintf("api/%s", served->version);
}

/* ---- documents ---------------------------------------------------------------------------- */

typedef struct document {
    openapi_form_t form;
    const char *root; /* of the only group version, or NULL: all */
    json_t *paths;
    json_t *schemas;
} document_t;

static void add_served(void *arg, const served_t *served)
{
    document_t *self = arg;
    AUTO_FREE char *root = root_of(served);
    if (self->root && strcmp(self->root, root) != 0)
        return;
    openapi_add_schema(self->schemas, self->form, served);
    openapi_add_paths(self->paths, self->form, served);
}

static json_t *new_document(const api_t *api, openapi_form_t form, const char *root)
{
    document_t self = {
        .form = form, .root = root, .paths = json_object(), .schemas = json_object()};
    served_each(api->store, add_served, &self);
    json_t *info = json_pack("{s:s, s:s}", "title", "Kubernetes", "version", "v1.30.0");
    if (form == OPENAPI_V2)
        return json_pack("{s:s, s:o, s:o, s:o}", "swagger", "2.0", "info", info, "paths",
            self.paths, "definitions", self.schemas);
    return json_pack("{s:s, s:o, s:o, s:{s:o}}", "openapi", "3.0.0", "info", info, "paths",
        self.paths, "components", "schemas", self.schemas);
}

static void add_root(void *arg, const served_t *served)
{
    AUTO_FREE char *root = root_of(served);
    json_object_set_new(
        arg, root, json_pack("{s:o}", "serverRelativeURL", json_sprintf("/openapi/v3/%s", root)));
}

/* ---- requests ----------------------------------------------------------------------------- */

static void reply_v2(const api_t *self, request_t *request)
{
    AUTO(buffer_done) buffer_t body = {0};
    json_auto_t *document = new_document(self, OPENAPI_V2, NULL);
    if (!request->accept || !strstr(request->accept, "proto-openapi.spec.v2")) {
        reply_json(request, 200, json_incref(document));
        return;
    }
    openapi_encode(&body, document);
    reply_buffer(request, 200, protobuf_type, &body);
}

static void reply_index(const api_t *self, request_t *request)
{
    json_t *paths = json_object();
    served_each(self->store, add_root, paths);
    reply_json(request, 200, json_pack("{s:o}", "paths", paths));
}

static void reply_v3(const api_t *self, request_t *request, const char *root)
{
    json_t *document = new_document(self, OPENAPI_V3, root);
    if (json_object_size(json_object_get(document, "paths"))) {
        reply_json(request, 200, document);
        return;
    }
    json_decref(document);
    reply_bytes(request, 404, "text/plain; charset=utf-8", "404 page not found\n", 19);
}

bool openapi_handle(api_t *self, request_t *request)
{
    static const char v3[] = "/openapi/v3";
    const char *path = request->path;
    if (!strcmp(path, "/openapi/v2"))
        reply_v2(self, request);
    else if (!strcmp(path, v3))
        reply_index(self, request);
    else if (!strncmp(path, v3, sizeof(v3) - 1) && path[sizeof(v3) - 1] == '/')
        reply_v3(self, request, path + sizeof(v3));
    else
        return false;
    return true;
}
