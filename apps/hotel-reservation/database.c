#include "apps/hotel-reservation/database.h"

#include "apps/common/console.h"
#include "base/auto.h"
#include "base/mem.h"
#include "base/number.h"

#include <ctype.h>

enum { USUAL_WAIT_MS = 3000 };

static const char *address_of(const char *name, const char *usual_address)
{
    AUTO_FREE char *variable = xasprintf("MONGODB_%s_ADDRESS", name);
    for (char *c = variable; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return app_setting(variable, usual_address);
}

store_t *database_open(app_t *app, const char *name, const char *usual_address, err_t *err)
{
    console_info("Initializing DB connection...");
    store_config_t config = {.address = address_of(name, usual_address),
        .user = app_setting("DB_USER", "admin"),
        .password = app_setting("DB_PASSWORD", "admin"),
        .wait_ms = (int)number_or(app_setting("DB_WAIT_MS", NULL), 0, INT32_MAX, USUAL_WAIT_MS)};
    return store_open(app, &config, err);
}

int database_fill(store_t *store, const char *collection, json_t *documents, err_t *err)
{
    console_info("Generating test data...");
    size_t word_count = 2 + 2 * json_object_size(documents);
    AUTO_FREE const char **words = xcalloc(word_count, sizeof(*words));
    size_t used = 0;
    words[used++] = "HSET";
    words[used++] = collection;
    const char *id = NULL;
    json_t *document = NULL;
    json_object_foreach(documents, id, document)
    {
        words[used++] = id;
        words[used++] = mem_check(
            json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)));
    }
    AUTO(store_reply_free) redisReply *reply = store_run_words(store, words, used, err);
    for (size_t i = 3; i < used; i += 2)
        free((char *)words[i]);
    if (!reply)
        return err_wrap(err, "cannot insert test data into %s", collection);
    console_info("Successfully inserted test data into %s", collection);
    return 0;
}

static json_t *parse(const redisReply *text)
{
    return text->type == REDIS_REPLY_STRING
               ? json_loadb(text->str, text->len, JSON_DECODE_ANY, NULL)
               : NULL;
}

int database_read(
    store_t *store, const char *collection, database_read_fn *on_document, void *arg, err_t *err)
{
    AUTO(store_reply_free) redisReply *reply = store_run(store, err, "HGETALL %s", collection);
    if (!reply)
        return err_wrap(err, "cannot read %s", collection);
    int rc = 0;
    for (size_t i = 0; i + 1 < reply->elements && rc == 0; i += 2) {
        const char *id = reply->element[i]->str;
        json_t *document = parse(reply->element[i + 1]);
        rc = document ? on_document(arg, id, document, err)
                      : err_set(err, ERR_IO, "document '%s' of %s is not JSON", id, collection);
        json_decref(document);
    }
    return rc;
}

int database_find(store_t *store, const char *collection, const char *const *ids, size_t id_count,
    json_t *found, err_t *err)
{
    if (id_count == 0)
        return 0;
    AUTO_FREE const char **words = xcalloc(id_count + 2, sizeof(*words));
    words[0] = "HMGET";
    words[1] = collection;
    memcpy(words + 2, ids, id_count * sizeof(*ids));
    AUTO(store_reply_free) redisReply *reply = store_run_words(store, words, id_count + 2, err);
    if (!reply)
        return err_wrap(err, "cannot read %s", collection);
    for (size_t i = 0; i < reply->elements && i < id_count; i++) {
        json_t *document = parse(reply->element[i]);
        if (document)
            json_object_set_new(found, ids[i], document);
    }
    return 0;
}
