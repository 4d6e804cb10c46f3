#include "base/job.h"

#include "base/mem.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job {
    ev_t *ev; /* borrowed */
    int done_fd;
    pthread_t thread;
    void (*work)(void *task);
    void (*on_done)(void *arg, void *task);
    void *task;
    void *arg;
};

static void *run(void *arg)
{
    job_t *self = arg;
    self->work(self->task);
    (void)eventfd_write(self->done_fd, 1); /* a fresh counter cannot be full */
    return NULL;
}

void job_join(job_t **self_p)
{
    job_t *self = *self_p;
    if (!self)
        return;
    pthread_join(self->thread, NULL);
    ev_fd_end(self->ev, self->done_fd);
    close(self->done_fd);
    free(self);
    *self_p = NULL;
}

static void on_finished(void *arg, int fd, uint32_t events)
{
    (void)fd, (void)events;
    job_t *self = arg;
    job_t finished = *self;
    job_join(&self);
    finished.on_done(finished.arg, finished.task);
}

job_t *job_start(ev_t *ev, void (*work)(void *task), void *task,
    void (*on_done)(void *arg, void *task), void *arg)
{
    job_t *self = xcalloc(1, sizeof(*self));
    *self = (job_t){.ev = ev, .work = work, .on_done = on_done, .task = task, .arg = arg};
    self->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->done_fd < 0 || pthread_create(&self->thread, NULL, run, self) != 0) {
        if (self->done_fd >= 0)
            close(self->done_fd);
        free(self);
        return NULL;
    }
    ev_fd(ev, self->done_fd, EPOLLIN, on_finished, self);
    return self;
}
