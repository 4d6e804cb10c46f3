#include "broker/zap.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/inlet.h"
#include "bus/keys.h"

struct zap {
    zsock_t *sock;
    inlet_t inlet;
    char *keys_folder;
    uint64_t refused;
};

/* The frames of a request, in order. */
enum { VERSION, REQUEST_ID, DOMAIN, ADDRESS, IDENTITY, MECHANISM, CREDENTIALS, FRAME_COUNT };

/* The User-Id, in new memory, or NULL. */
static char *judge(zap_t *self, zframe_t *const *frames)
{
    char name[KEY_NAME_LIMIT + 1];
    if (!zframe_streq(frames[MECHANISM], "CURVE") || zframe_size(frames[CREDENTIALS]) != KEY_SIZE)
        return NULL;
    const uint8_t *key = zframe_data(frames[CREDENTIALS]);
    if (zframe_streq(frames[DOMAIN], ZAP_DOMAIN_AGENTS)) {
        keys_local_name(key, name);
        return xasprintf("agent:%s", name);
    }
    const char *role = self->keys_folder ? keys_authorized(self->keys_folder, key, name) : NULL;
    if (!role)
        return NULL;
    if (zframe_streq(frames[DOMAIN], ZAP_DOMAIN_PUBLISH) && strcmp(role, "service") != 0)
        return NULL;
    return xasprintf("%s:%s", role, name);
}

static void answer(zap_t *self, zmsg_t *request)
{
    zframe_t *frames[FRAME_COUNT] = {0};
    size_t count = 0;
    for (zframe_t *f = zmsg_first(request); f && count < FRAME_COUNT; f = zmsg_next(request))
        frames[count++] = f;
    if (count < FRAME_COUNT || !zframe_streq(frames[VERSION], "1.0")) {
        zstr_send(self->sock, ""); /* a REP socket must answer; libzmq takes this for a refusal */
        return;
    }
    AUTO_FREE char *user_id = judge(self, frames);
    AUTO_FREE char *address = zframe_strdup(frames[ADDRESS]);
    AUTO_FREE char *domain = zframe_strdup(frames[DOMAIN]);
    if (!user_id) {
        self->refused++;
        log_warn("key.refused", "socket=%s address=%s", domain, address);
    }
    zstr_sendm(self->sock, "1.0");
    zframe_send(&frames[REQUEST_ID], self->sock, ZFRAME_MORE | ZFRAME_REUSE);
    zstr_sendm(self->sock, user_id ? "200" : "400");
    zstr_sendm(self->sock, user_id ? "OK" : "this key is not authorized for this socket");
    zstr_sendm(self->sock, user_id ? user_id : "");
    zstr_send(self->sock, "");
}

static bool drain_handshakes(void *arg)
{
    zap_t *self = arg;
    while (zsock_events(self->sock) & ZMQ_POLLIN) {
        AUTO(zmsg_destroy) zmsg_t *request = zmsg_recv(self->sock);
        if (request)
            answer(self, request);
    }
    return false;
}

zap_t *zap_new(ev_t *ev, const char *keys_folder, err_t *err)
{
    AUTO(zap_destroy) zap_t *self = xcalloc(1, sizeof(*self));
    self->keys_folder = keys_folder ? xstrdup(keys_folder) : NULL;
    self->sock = zsock_new(ZMQ_REP);
    if (zsock_bind(self->sock, "inproc://zeromq.zap.01") < 0) {
        err_set(err, ERR_EXISTS, "another ZAP handler runs in this process");
        return NULL;
    }
    inlet_open(&self->inlet, ev, zsock_resolve(self->sock), drain_handshakes, self);
    return TAKE(self);
}

void zap_destroy(zap_t **self_p)
{
    zap_t *self = *self_p;
    if (!self)
        return;
    inlet_close(&self->inlet);
    zsock_destroy(&self->sock);
    free(self->keys_folder);
    free(self);
    *self_p = NULL;
}

const uint64_t *zap_refused(const zap_t *self)
{
    return &self->refused;
}
