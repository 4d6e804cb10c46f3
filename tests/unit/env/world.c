#include "tests/unit/env/world.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

int world_setup(void **state)
{
    world_t *self = xcalloc(1, sizeof(*self));
    api_config_t config = {0};
    self->ev = ev_sim_new();
    self->store = store_new(self->ev, 1);
    self->api = api_bare(self->ev, self->store, &config);
    *state = self;
    return store_create(self->store, kind_find("Namespace"),
        json_pack("{s:{s:s}}", "metadata", "name", "default"), NULL, NULL);
}

int world_teardown(void **state)
{
    world_t *self = *state;
    api_destroy(&self->api);
    store_destroy(&self->store);
    ev_destroy(&self->ev);
    free(self);
    return 0;
}

json_t *ask(world_t *self, const char *method, const char *url, const char *type, const char *body)
{
    AUTO(request_destroy) request_t *request = request_new(method, url);
    request->content_type = type ? xstrdup(type) : NULL;
    buffer_add_text(&request->body, body ? body : "");
    api_handle(self->api, request);
    self->status = request->reply.status;
    const buffer_t *answer = &request->reply.body;
    return json_loadb(answer->bytes ? answer->bytes : "", answer->size, 0, NULL);
}

void tell(world_t *self, const char *method, const char *url, const char *body)
{
    json_decref(ask(self, method, url, "application/json", body));
}

/* The kind that a collection's url is of. */
static const kind_t *kind_of(const char *url)
{
    const char *plural = url + strcspn(url, "?");
    while (plural[-1] != '/')
        plural--;
    size_t i = 0;
    while (strncmp(kind_at(i)->plural, plural, strlen(kind_at(i)->plural)) != 0)
        i++;
    return kind_at(i);
}

json_t *post_object(world_t *self, const char *url, const char *text)
{
    AUTO_FREE char *body = xasprintf("{'apiVersion':'%s','kind':'%s',%s",
        kind_api_version(kind_of(url)), kind_of(url)->name, text + 1);
    for (char *at = strchr(body, '\''); at; at = strchr(at, '\''))
        *at = '"';
    return ask(self, "POST", url, "application/json", body);
}

void must_post(world_t *self, const char *url, const char *text)
{
    json_auto_t *answer = post_object(self, url, text);
    if (self->status != 201)
        fail_msg("%s", object_string(answer, "message"));
}

void expect_refusal(world_t *self, const json_t *answer, int status, const char *message)
{
    assert_string_equal(object_string(answer, "message"), message);
    assert_int_equal(self->status, status);
    assert_int_equal(object_integer(answer, "code", 0), status);
    assert_string_equal(object_string(answer, "status"), "Failure");
}

void expect_at(const json_t *object, const char *path, const char *json)
{
    json_auto_t *wanted = json_loads(json, JSON_DECODE_ANY, NULL);
    const json_t *value = object_at(object, path);
    AUTO_FREE char *text = value ? json_dumps(value, JSON_ENCODE_ANY) : xstrdup("nothing");
    if (!value || !json_equal(value, wanted))
        fail_msg("%s is %s, not %s", path, text, json);
}

request_t *listen_to(world_t *self, const char *url, const char *accept)
{
    request_t *request = request_new("GET", url);
    request->accept = accept ? xstrdup(accept) : NULL;
    api_handle(self->api, request);
    return request;
}

char *hear(request_t *request)
{
    enum { SIZE = 64 << 10 };
    bool is_end;
    char *text = xcalloc(1, SIZE);
    assert_non_null(request->reply.stream);
    size_t length = stream_read(request->reply.stream, text, SIZE - 8, &is_end);
    if (is_end)
        memcpy(text + length, "(end)", 5);
    return text;
}
