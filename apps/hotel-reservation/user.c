/* user - whether a user's password is right. Reads its database at the start, and never again. */
#include "apps/common/app.h"
#include "apps/common/console.h"
#include "apps/common/rpc.h"
#include "apps/hotel-reservation/database.h"
#include "apps/hotel-reservation/hotels.h"
#include "apps/hotel-reservation/password.h"
#include "base/auto.h"
#include "base/mem.h"

static const char *const collection = "user-db.user";

typedef struct user {
    json_t *hashes; /* by name */
} user_t;

static int check_user(
    void *arg, const span_t *span, const json_t *request, json_t **reply_p, err_t *err)
{
    (void)span;
    const user_t *self = arg;
    const char *name = NULL;
    const char *password = NULL;
    if (json_unpack((json_t *)request, "{ss, ss}", "username", &name, "password", &password) < 0)
        return err_set(err, ERR_INVALID, "'username' and 'password' are needed");
    const char *expected = json_string_value(json_object_get(self->hashes, name));
    char hash[PASSWORD_HASH_SIZE];
    password_hash(password, hash);
    *reply_p = json_pack("{sb}", "correct", expected && strcmp(expected, hash) == 0);
    return 0;
}

static int on_user(void *arg, const char *name, const json_t *document, err_t *err)
{
    user_t *self = arg;
    json_t *hash = json_object_get(document, "password");
    if (!json_is_string(hash))
        return err_set(err, ERR_IO, "user '%s' has no password", name);
    json_object_set(self->hashes, name, hash);
    return 0;
}

static json_t *make_users(void)
{
    json_t *users = json_object();
    for (int i = 0; i < USER_COUNT; i++) {
        char name[24];
        char password[PASSWORD_SIZE];
        char hash[PASSWORD_HASH_SIZE];
        snprintf(name, sizeof(name), "Cornell_%d", i);
        password_of(i, password);
        password_hash(password, hash);
        json_object_set_new(users, name, json_pack("{ss, ss}", "username", name, "password", hash));
    }
    return users;
}

static int load(user_t *self, app_t *app, err_t *err)
{
    AUTO(store_destroy) store_t *store = database_open(app, "user", "mongodb-user:6379", err);
    if (!store)
        return -ERR_UNAVAILABLE;
    json_auto_t *users = make_users();
    int rc = database_fill(store, collection, users, err);
    if (rc == 0)
        rc = database_read(store, collection, on_user, self, err);
    if (rc == 0)
        console_info("Read %zu users", json_object_size(self->hashes));
    return rc;
}

static void user_close(void **self_p)
{
    user_t *self = *self_p;
    json_decref(self->hashes);
    free(self);
    *self_p = NULL;
}

static void *user_open(app_t *app, err_t *err)
{
    user_t *self = xcalloc(1, sizeof(*self));
    self->hashes = json_object();
    void *opened = self;
    if (load(self, app, err) < 0)
        user_close(&opened);
    return opened;
}

int main(void)
{
    static const web_route_t routes[] = {{"POST", "/user.User/CheckUser", rpc_answer, check_user}};
    static const app_spec_t spec = {.name = "user",
        .port = 8086,
        .open = user_open,
        .close = user_close,
        .routes = routes,
        .route_count = ARRAY_SIZE(routes)};
    return app_main(&spec);
}
