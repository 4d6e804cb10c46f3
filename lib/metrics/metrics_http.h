/* metrics_http - answers GET /metrics, and nothing else, on a TCP port of the loopback interface or
 * another address. */
#ifndef METRICS_METRICS_HTTP_H
#define METRICS_METRICS_HTTP_H

#include "base/err.h"
#include "base/ev.h"
#include "metrics/metrics.h"

typedef struct metrics_http metrics_http_t;

/* address is "PORT" (on 127.0.0.1) or "HOST:PORT" in numbers; port 0 takes a free one. The registry
 * is borrowed. */
metrics_http_t *metrics_http_new(ev_t *ev, metrics_t *metrics, const char *address, err_t *err);
void metrics_http_destroy(metrics_http_t **self_p);

int metrics_http_port(const metrics_http_t *self);

#endif
