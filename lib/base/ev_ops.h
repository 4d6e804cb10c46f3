/* ev_ops - what an implementation of ev provides. Private to lib/base. */
#ifndef BASE_EV_OPS_H
#define BASE_EV_OPS_H

#include "base/ev.h"

typedef struct ev_ops {
    void (*destroy)(ev_t **self_p);
    int64_t (*now)(ev_t *self);
    void (*reader)(ev_t *self, zsock_t *sock, ev_reader_fn *fn, void *arg);
    void (*reader_end)(ev_t *self, zsock_t *sock);
    void (*fd)(ev_t *self, int fd, uint32_t events, ev_fd_fn *fn, void *arg);
    void (*fd_end)(ev_t *self, int fd);
    int (*after)(ev_t *self, int64_t delay_ms, ev_timer_fn *fn, void *arg);
    void (*cancel)(ev_t *self, int timer_id);
    void (*run)(ev_t *self);
    void (*stop)(ev_t *self);
} ev_ops_t;

struct ev {
    const ev_ops_t *ops;
    int signal_fd; /* -1 unless ev_stop_on_signals() was called */
};

#endif
