#include "cli/agents/scene.h"

#include "base/number.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINE_MAX_SIZE = 2048, SIBLINGS_MIN = 3 };

/* ---- lines --------------------------------------------------------------------------------- */

/* Copies the next line, as much of it as fits, and moves on behind it; false at the end. */
static bool next_line(const char **text_p, char line[LINE_MAX_SIZE])
{
    const char *text = *text_p;
    if (!text || !*text)
        return false;
    size_t length = strcspn(text, "\n");
    snprintf(
        line, LINE_MAX_SIZE, "%.*s", (int)(length < LINE_MAX_SIZE ? length : LINE_MAX_SIZE), text);
    *text_p = text + length + (text[length] ? 1 : 0);
    return true;
}

static void copy(char target[SCENE_TEXT], const char *text, size_t length)
{
    snprintf(target, SCENE_TEXT, "%.*s", (int)(length < SCENE_TEXT ? length : SCENE_TEXT), text);
}

/* ---- workloads ----------------------------------------------------------------------------- */

workload_t *scene_find(scene_t *self, const char *name, size_t length)
{
    for (size_t i = 0; i < self->count; i++) {
        const char *own = self->workloads[i].name;
        if (strlen(own) == length && strncmp(own, name, length) == 0)
            return &self->workloads[i];
    }
    return NULL;
}

/* By the pod's name, which is the Deployment's with two more words behind it. */
static workload_t *find_of_pod(scene_t *self, const char *pod)
{
    workload_t *found = NULL;
    for (size_t i = 0; i < self->count; i++) {
        workload_t *workload = &self->workloads[i];
        size_t length = strlen(workload->name);
        bool is_longer = !found || length > strlen(found->name);
        if (is_longer && strncmp(pod, workload->name, length) == 0 && pod[length] == '-')
            found = workload;
    }
    return found;
}

/* One line's parts; what is empty is a part, too. */
typedef struct listed {
    char *kind, *name, *owner, *revision, *replicas, *image;
} listed_t;

/* Cuts the line up in place. */
static bool read_listed(char *line, listed_t *parts)
{
    char **const fields[] = {&parts->kind, &parts->name, &parts->owner, &parts->revision,
        &parts->replicas, &parts->image};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        *fields[i] = strsep(&line, "|");
        if (!*fields[i])
            return false;
    }
    return true;
}

static int number_in(const char *text)
{
    return (int)number_or(text, 0, INT32_MAX, 0);
}

static void add_deployment(scene_t *self, const listed_t *parts)
{
    if (self->count == SCENE_WORKLOADS_MAX)
        return;
    workload_t *workload = &self->workloads[self->count++];
    *workload = (workload_t){
        .replicas = number_in(parts->replicas), .revision = number_in(parts->revision)};
    copy(workload->name, parts->name, strlen(parts->name));
    copy(workload->image, parts->image, strlen(parts->image));
}

static void add_replica_set(scene_t *self, const listed_t *parts)
{
    workload_t *workload = scene_find(self, parts->owner, strlen(parts->owner));
    int revision = number_in(parts->revision);
    bool is_former = workload && strcmp(workload->image, parts->image) != 0
                     && revision > workload->former_revision;
    if (!is_former)
        return;
    workload->former_revision = revision;
    copy(workload->former_image, parts->image, strlen(parts->image));
}

void scene_read_workloads(scene_t *self, const char *text)
{
    char line[LINE_MAX_SIZE];
    while (next_line(&text, line)) {
        listed_t parts;
        if (!read_listed(line, &parts))
            continue;
        if (strcmp(parts.kind, "Deployment") == 0)
            add_deployment(self, &parts);
        else if (strcmp(parts.kind, "ReplicaSet") == 0)
            add_replica_set(self, &parts);
    }
}

/* ---- pods ---------------------------------------------------------------------------------- */

/* What every pod goes through when all is well. */
static bool is_passing(const char *state)
{
    return strcmp(state, "ContainerCreating") == 0 || strcmp(state, "Terminating") == 0
           || strcmp(state, "PodInitializing") == 0 || strcmp(state, "Completed") == 0;
}

void scene_read_pods(scene_t *self, const char *text)
{
    char line[LINE_MAX_SIZE];
    for (size_t i = 0; i < self->count; i++)
        self->workloads[i].pods = self->workloads[i].failing_pods = self->workloads[i].restarts = 0;
    while (next_line(&text, line)) {
        char name[SCENE_TEXT];
        char state[SCENE_TEXT];
        int ready;
        int wanted;
        int restarts;
        if (sscanf(line, "%127s %d/%d %127s %d", name, &ready, &wanted, state, &restarts) != 5)
            continue;
        workload_t *workload = find_of_pod(self, name);
        if (!workload)
            continue;
        workload->pods++;
        workload->restarts += restarts;
        if (!is_passing(state) && (ready < wanted || strcmp(state, "Running") != 0)) {
            workload->failing_pods++;
            copy(workload->state, state, strlen(state));
        }
    }
}

/* ---- logs ---------------------------------------------------------------------------------- */

static bool has_any(const char *line, const char *const *words)
{
    for (; *words; words++) {
        if (strcasestr(line, *words))
            return true;
    }
    return false;
}

static bool is_name_character(char character)
{
    return isalnum((unsigned char)character) || character == '-' || character == '_';
}

/* Whether a name stands there as an address: "name:8083" or "//name". By itself it may be any word,
 * such as "user". */
static bool is_address(const char *line, const char *at, size_t length)
{
    bool is_whole = (at == line || !is_name_character(at[-1])) && !is_name_character(at[length]);
    bool has_port = at[length] == ':' && isdigit((unsigned char)at[length + 1]);
    bool is_host = at >= line + 2 && at[-1] == '/' && at[-2] == '/';
    return is_whole && (has_port || is_host);
}

/* The workload whose address comes last in a line: errors are wrapped from the outside to the
 * inside, so that is where they come from. */
static workload_t *named_last(scene_t *self, const char *line)
{
    workload_t *found = NULL;
    const char *last = line;
    for (size_t i = 0; i < self->count; i++) {
        const char *name = self->workloads[i].name;
        size_t length = strlen(name);
        for (const char *at = strstr(line, name); at; at = strstr(at + 1, name)) {
            if (at <= last || !is_address(line, at, length))
                continue;
            found = &self->workloads[i];
            last = at;
        }
    }
    return found;
}

static void read_log_line(scene_t *self, workload_t *owner, const char *text)
{
    static const char *const errors[] = {
        " err ", " ftl ", "error", "fatal", "panic", "exception", "refused", "no reachable", NULL};
    static const char *const denials[] = {"unauthorized", "authentication failed", "wrongpass",
        "noperm", "access denied", "permission denied", "not authorized", NULL};
    if (!has_any(text, errors))
        return;
    owner->own_errors++;
    if (has_any(text, denials))
        owner->own_denials++;
    workload_t *named = named_last(self, text);
    if (named)
        named->named++;
}

void scene_read_logs(scene_t *self, const char *text)
{
    char line[LINE_MAX_SIZE];
    for (size_t i = 0; i < self->count; i++) {
        workload_t *workload = &self->workloads[i];
        workload->own_errors = workload->own_denials = workload->named = 0;
    }
    while (next_line(&text, line)) {
        static const char head[] = "[pod/";
        if (strncmp(line, head, sizeof(head) - 1) != 0)
            continue;
        const char *end = strchr(line, ']');
        workload_t *owner = find_of_pod(self, line + sizeof(head) - 1);
        if (end && owner)
            read_log_line(self, owner, end + 1);
    }
}

/* ---- traces -------------------------------------------------------------------------------- */

void scene_read_spans(scene_t *self, const char *text)
{
    char line[LINE_MAX_SIZE];
    while (next_line(&text, line)) {
        char target[SCENE_TEXT];
        int count;
        if (sscanf(line, "%d %127s", &count, target) != 2)
            continue;
        const char *name = target + strspn(target, "/");
        workload_t *workload = scene_find(self, name, strcspn(name, "./:"));
        if (workload)
            workload->failed_spans += count;
    }
}

/* ---- metrics ------------------------------------------------------------------------------- */

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static void count_errors(scene_t *self, const char *pod, const char *kpi, double value)
{
    static const char label[] = ".peer=";
    const char *peer = strstr(kpi, label);
    if (!peer)
        return;
    peer += sizeof(label) - 1;
    workload_t *caller = find_of_pod(self, pod);
    workload_t *called = scene_find(self, peer, strcspn(peer, ".:"));
    if (caller)
        caller->own_failed_calls = larger(caller->own_failed_calls, value);
    if (called)
        called->failed_calls = larger(called->failed_calls, value);
}

/* Lines "timestamp node.pod kpi value"; counters only grow. */
void scene_read_errors(scene_t *self, const char *text)
{
    char line[LINE_MAX_SIZE];
    while (next_line(&text, line)) {
        char owner[SCENE_TEXT];
        char kpi[SCENE_TEXT];
        double value;
        if (sscanf(line, "%*s %127s %127s %lf", owner, kpi, &value) != 3)
            continue;
        const char *pod = strrchr(owner, '.');
        if (pod)
            count_errors(self, pod + 1, kpi, value);
    }
}

/* ---- images -------------------------------------------------------------------------------- */

const char *scene_sibling_image(const scene_t *self, const workload_t *workload)
{
    const char *common = NULL;
    size_t siblings = 0;
    size_t maker = strcspn(workload->image, "/");
    if (!workload->image[maker])
        return NULL; /* an image of nobody in particular */
    for (size_t i = 0; i < self->count; i++) {
        const workload_t *other = &self->workloads[i];
        if (other == workload || strncmp(other->image, workload->image, maker + 1) != 0)
            continue;
        if (common && strcmp(common, other->image) != 0)
            return NULL; /* they do not agree */
        common = other->image;
        siblings++;
    }
    return siblings >= SIBLINGS_MIN && strcmp(common, workload->image) != 0 ? common : NULL;
}
