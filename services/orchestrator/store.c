#include "services/orchestrator/store.h"

#include "base/auto.h"
#include "base/mem.h"

#include <sqlite3.h>

struct store {
    sqlite3 *database;
};

static const char schema[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = NORMAL;"
    "CREATE TABLE IF NOT EXISTS sessions ("
    "  id TEXT PRIMARY KEY, is_over INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS sessions_open ON sessions (is_over) WHERE is_over = 0;"
    "CREATE TABLE IF NOT EXISTS steps ("
    "  session TEXT NOT NULL, step INTEGER NOT NULL, action TEXT NOT NULL, observation TEXT,"
    "  PRIMARY KEY (session, step)) WITHOUT ROWID;";

/* ---- statements --------------------------------------------------------------------------- */

static void finalize(sqlite3_stmt **statement_p)
{
    sqlite3_finalize(*statement_p);
}

static int fail(store_t *self, err_t *err)
{
    return err_set(err, ERR_IO, "the orchestrator's database: %s", sqlite3_errmsg(self->database));
}

static sqlite3_stmt *prepare(store_t *self, const char *sql, const char *first)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(self->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_text(statement, 1, first, -1, SQLITE_STATIC);
    return statement;
}

/* Runs a statement that yields no rows. */
static int run(store_t *self, sqlite3_stmt *statement, err_t *err)
{
    if (!statement || sqlite3_step(statement) != SQLITE_DONE)
        return fail(self, err);
    return 0;
}

static const char *text_at(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}

/* ---- sessions ----------------------------------------------------------------------------- */

int store_put_session(store_t *self, const char *id, const json_t *session, err_t *err)
{
    AUTO(finalize)
    sqlite3_stmt *statement = prepare(self,
        "INSERT INTO sessions (id, body) VALUES (?1, ?2)"
        " ON CONFLICT (id) DO UPDATE SET body = ?2",
        id);
    AUTO_FREE char *body = json_dumps(session, JSON_COMPACT);
    if (statement)
        sqlite3_bind_text(statement, 2, body, -1, SQLITE_STATIC);
    return run(self, statement, err);
}

json_t *store_get_session(store_t *self, const char *id, err_t *err)
{
    AUTO(finalize)
    sqlite3_stmt *statement = prepare(self, "SELECT body FROM sessions WHERE id = ?1", id);
    int rc = statement ? sqlite3_step(statement) : SQLITE_ERROR;
    if (rc == SQLITE_ROW)
        return json_loads(text_at(statement, 0), 0, NULL);
    if (rc == SQLITE_DONE)
        err_set(err, ERR_NOT_FOUND, "there is no session '%.60s'", id);
    else
        fail(self, err);
    return NULL;
}

int store_each_open(
    store_t *self, void (*fn)(void *arg, const json_t *session), void *arg, err_t *err)
{
    AUTO(finalize)
    sqlite3_stmt *statement =
        prepare(self, "SELECT body FROM sessions WHERE is_over = 0 AND ?1 = ''", "");
    int rc = SQLITE_ERROR;
    while (statement && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
        json_t *session = json_loads(text_at(statement, 0), 0, NULL);
        if (session)
            fn(arg, session);
        json_decref(session);
    }
    return rc == SQLITE_DONE ? 0 : fail(self, err);
}

int store_close_session(store_t *self, const char *id, err_t *err)
{
    AUTO(finalize)
    sqlite3_stmt *statement = prepare(self, "UPDATE sessions SET is_over = 1 WHERE id = ?1", id);
    return run(self, statement, err);
}

/* ---- steps -------------------------------------------------------------------------------- */

int store_begin_step(
    store_t *self, const char *session, int64_t step, const char *action, err_t *err)
{
    AUTO(finalize)
    sqlite3_stmt *statement =
        prepare(self, "INSERT INTO steps (session, step, action) VALUES (?1, ?2, ?3)", session);
    if (statement) {
        sqlite3_bind_int64(statement, 2, step);
        sqlite3_bind_text(statement, 3, action, -1, SQLITE_STATIC);
    }
    return run(self, statement, err);
}

int store_end_step(
    store_t *self, const char *session, int64_t step, const char *observation, err_t *err)
{
    AUTO(finalize)
    sqlite3_stmt *statement = prepare(
        self, "UPDATE steps SET observation = ?3 WHERE session = ?1 AND step = ?2", session);
    if (statement) {
        sqlite3_bind_int64(statement, 2, step);
        sqlite3_bind_text(statement, 3, observation, -1, SQLITE_STATIC);
    }
    return run(self, statement, err);
}

char *store_observation(store_t *self, const char *session, int64_t step)
{
    AUTO(finalize)
    sqlite3_stmt *statement =
        prepare(self, "SELECT observation FROM steps WHERE session = ?1 AND step = ?2", session);
    if (!statement)
        return NULL;
    sqlite3_bind_int64(statement, 2, step);
    if (sqlite3_step(statement) != SQLITE_ROW || !text_at(statement, 0))
        return NULL;
    return xstrdup(text_at(statement, 0));
}

int store_each_step(store_t *self, const char *session,
    void (*fn)(void *arg, int64_t step, const char *action, const char *observation), void *arg,
    err_t *err)
{
    AUTO(finalize)
    sqlite3_stmt *statement = prepare(self,
        "SELECT step, action, observation FROM steps WHERE session = ?1 ORDER BY step", session);
    int rc = SQLITE_ERROR;
    while (statement && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
        fn(arg, sqlite3_column_int64(statement, 0), text_at(statement, 1), text_at(statement, 2));
    }
    return rc == SQLITE_DONE ? 0 : fail(self, err);
}

/* ---- life cycle --------------------------------------------------------------------------- */

/* Holds the file for as long as we live: two orchestrators would act for the same sessions. */
static int take(store_t *self, const char *path, err_t *err)
{
    if (sqlite3_exec(self->database, "PRAGMA locking_mode = EXCLUSIVE;", NULL, NULL, NULL)
            == SQLITE_OK
        && sqlite3_exec(self->database, schema, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    if (sqlite3_errcode(self->database) == SQLITE_BUSY)
        return err_set(err, ERR_STATE, "another orchestrator has '%s' open", path);
    return err_set(
        err, ERR_IO, "cannot use the database '%s': %s", path, sqlite3_errmsg(self->database));
}

store_t *store_new(const char *path, err_t *err)
{
    AUTO(store_destroy) store_t *self = xcalloc(1, sizeof(*self));
    if (sqlite3_open(path, &self->database) != SQLITE_OK) {
        err_set(
            err, ERR_IO, "cannot open the database '%s': %s", path, sqlite3_errmsg(self->database));
        return NULL;
    }
    if (take(self, path, err) < 0)
        return NULL;
    return TAKE(self);
}

void store_destroy(store_t **self_p)
{
    store_t *self = TAKE(*self_p);
    if (!self)
        return;
    sqlite3_close(self->database);
    free(self);
}
