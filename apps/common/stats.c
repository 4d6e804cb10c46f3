#include "apps/common/stats.h"

#include "base/auto.h"
#include "base/mem.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct stats {
    pthread_mutex_t lock;
    metrics_t *metrics;
    metric_t *cpu_seconds;
};

static const double bounds[] = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

void stats_add(stats_t *self, const char *name, const char *help, const char *labels, double amount)
{
    pthread_mutex_lock(&self->lock);
    metric_add(metrics_counter(self->metrics, name, help, labels), amount);
    pthread_mutex_unlock(&self->lock);
}

void stats_count(stats_t *self, const char *name, const char *help, const char *labels)
{
    stats_add(self, name, help, labels, 1);
}

void stats_set(stats_t *self, const char *name, const char *help, double value)
{
    pthread_mutex_lock(&self->lock);
    metric_set(metrics_gauge(self->metrics, name, help, NULL), value);
    pthread_mutex_unlock(&self->lock);
}

void stats_time(
    stats_t *self, const char *name, const char *help, const char *labels, double seconds)
{
    pthread_mutex_lock(&self->lock);
    metric_observe(
        metrics_histogram(self->metrics, name, help, labels, bounds, ARRAY_SIZE(bounds)), seconds);
    pthread_mutex_unlock(&self->lock);
}

/* ---- the process ---------------------------------------------------------------------------- */

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Resident pages are the second number of statm(5). */
static double read_resident_bytes(void *arg)
{
    (void)arg;
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double count_entries(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return 0;
    double count = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static double read_open_descriptors(void *arg)
{
    (void)arg;
    return count_entries("/proc/self/fd") - 1; /* without the one that looks */
}

static double read_threads(void *arg)
{
    (void)arg;
    return count_entries("/proc/self/task");
}

char *stats_text(stats_t *self)
{
    pthread_mutex_lock(&self->lock);
    metric_add(self->cpu_seconds, cpu_seconds() - metric_value(self->cpu_seconds));
    char *text = metrics_text(self->metrics);
    pthread_mutex_unlock(&self->lock);
    return text;
}

stats_t *stats_new(void)
{
    stats_t *self = xcalloc(1, sizeof(*self));
    pthread_mutex_init(&self->lock, NULL);
    self->metrics = metrics_new();
    self->cpu_seconds = metrics_counter(self->metrics, "process_cpu_seconds_total",
        "User and system processor time, in seconds", NULL);
    metrics_gauge_from(self->metrics, "process_resident_memory_bytes", "Resident memory",
        read_resident_bytes, NULL);
    metrics_gauge_from(
        self->metrics, "process_open_fds", "Open file descriptors", read_open_descriptors, NULL);
    metrics_gauge_from(self->metrics, "process_threads", "Threads", read_threads, NULL);
    metric_set(metrics_gauge(self->metrics, "process_start_time_seconds",
                   "When the process started, in seconds since 1970", NULL),
        (double)time(NULL));
    return self;
}

void stats_destroy(stats_t **self_p)
{
    stats_t *self = *self_p;
    if (!self)
        return;
    metrics_destroy(&self->metrics);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}
