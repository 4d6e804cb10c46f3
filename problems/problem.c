#include "problems/problem.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/paths.h"
#include "problems/application.h"
#include "problems/problem_file.h"

#include <fts.h>

struct problem_registry {
    problem_family_t **families;
    size_t family_count;
    const problem_t **problems; /* sorted by id; inside families */
    size_t problem_count;
    char *apps_dir;
    application_t **applications;
    size_t application_count;
};

const char *task_name(task_t task)
{
    static const char *const names[] = {
        [TASK_DETECTION] = "detection",
        [TASK_LOCALIZATION] = "localization",
        [TASK_ANALYSIS] = "analysis",
        [TASK_MITIGATION] = "mitigation",
    };
    return names[task];
}

/* ---- reading the folder ------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    return strcmp((*(const problem_t *const *)a)->id, (*(const problem_t *const *)b)->id);
}

static void *grow(void *array, size_t count, size_t size)
{
    return mem_check(realloc(array, count * size));
}

/* Each application is read once. */
static const application_t *find_application(void *arg, const char *name, err_t *err)
{
    problem_registry_t *self = arg;
    for (size_t i = 0; i < self->application_count; i++) {
        if (strcmp(self->applications[i]->name, name) == 0)
            return self->applications[i];
    }
    application_t *application = application_new(self->apps_dir, name, err);
    if (!application)
        return NULL;
    self->applications =
        grow(self->applications, self->application_count + 1, sizeof(*self->applications));
    self->applications[self->application_count++] = application;
    return application;
}

static int add_family(problem_registry_t *self, const char *path, err_t *err)
{
    problem_family_t *family = NULL;
    int rc = problem_file_load(path, find_application, self, &family, err);
    if (rc < 0)
        return rc;

    self->families = grow(self->families, self->family_count + 1, sizeof(*self->families));
    self->families[self->family_count++] = family;
    self->problems =
        grow(self->problems, self->problem_count + family->problem_count, sizeof(*self->problems));
    for (uint32_t i = 0; i < family->problem_count; i++)
        self->problems[self->problem_count++] = &family->problems[i];
    return 0;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void close_walk(FTS **walk_p)
{
    if (*walk_p)
        fts_close(*walk_p);
}

static int add_folder(problem_registry_t *self, const char *folder, err_t *err)
{
    AUTO_FREE char *root = xstrdup(folder);
    char *const roots[] = {root, NULL};
    AUTO(close_walk) FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (!walk)
        return err_set(err, ERR_IO, "cannot read the folder '%s'", folder);

    for (FTSENT *entry = fts_read(walk); entry; entry = fts_read(walk)) {
        const char *suffix = strrchr(entry->fts_name, '.');
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS)
            return err_set(
                err, ERR_IO, "cannot read '%s': %s", entry->fts_path, strerror(entry->fts_errno));
        if (entry->fts_info != FTS_F || !suffix || strcmp(suffix, ".yaml") != 0)
            continue;
        int rc = add_family(self, entry->fts_path, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int check_ids(const problem_registry_t *self, const char *folder, err_t *err)
{
    if (self->problem_count == 0)
        return err_set(err, ERR_NOT_FOUND, "no problem in the folder '%s'", folder);
    for (size_t i = 1; i < self->problem_count; i++) {
        if (by_id(&self->problems[i - 1], &self->problems[i]) == 0) {
            return err_set(err, ERR_INVALID,
                "problem '%s' is there twice, in the families '%s' "
                "and '%s'",
                self->problems[i]->id, self->problems[i - 1]->family->family,
                self->problems[i]->family->family);
        }
    }
    return 0;
}

/* ---- asking ------------------------------------------------------------------------------- */

size_t problem_registry_count(const problem_registry_t *self)
{
    return self->problem_count;
}

const problem_t *problem_registry_at(const problem_registry_t *self, size_t index)
{
    return self->problems[index];
}

const problem_t *problem_registry_find(const problem_registry_t *self, const char *id, err_t *err)
{
    AUTO_FREE const char **ids = xcalloc(self->problem_count + 1, sizeof(*ids));
    for (size_t i = 0; i < self->problem_count; i++) {
        ids[i] = self->problems[i]->id;
        if (strcmp(ids[i], id) == 0)
            return self->problems[i];
    }
    AUTO_FREE char *hint = nearest_hint(id, ids, self->problem_count);
    err_set(err, ERR_NOT_FOUND, "there is no problem '%.60s'; %s", id,
        *hint ? hint : "'aiopslab problems' lists them");
    return NULL;
}

/* ---- life cycle --------------------------------------------------------------------------- */

problem_registry_t *problem_registry_new(const problem_sources_t *sources, err_t *err)
{
    AUTO(problem_registry_destroy) problem_registry_t *self = xcalloc(1, sizeof(*self));
    AUTO_FREE char *data_dir = paths_data_dir();
    self->apps_dir =
        sources->apps_dir ? xstrdup(sources->apps_dir) : xasprintf("%s/apps", data_dir);
    if (add_folder(self, sources->folder, err) < 0)
        return NULL;
    if (self->problem_count)
        qsort(self->problems, self->problem_count, sizeof(*self->problems), by_id);
    if (check_ids(self, sources->folder, err) < 0)
        return NULL;
    return TAKE(self);
}

void problem_registry_destroy(problem_registry_t **self_p)
{
    problem_registry_t *self = TAKE(*self_p);
    if (!self)
        return;
    for (size_t i = 0; i < self->family_count; i++)
        problem_file_free(self->families[i]);
    for (size_t i = 0; i < self->application_count; i++)
        application_destroy(&self->applications[i]);
    free(self->applications);
    free(self->apps_dir);
    free(self->families);
    free(self->problems);
    free(self);
}
