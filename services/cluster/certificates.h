/* certificates - the authority of a cluster service and the certificate of its API servers.
 *
 * Made once, kept in the state folder: the key with mode 0600. */
#ifndef CLUSTER_CERTIFICATES_H
#define CLUSTER_CERTIFICATES_H

#include "base/err.h"

typedef struct certificates {
    char *ca;   /* PEM of the authority's certificate */
    char *cert; /* PEM of the servers' certificate, for 127.0.0.1 and the cluster's own names */
    char *key;  /* PEM of its key */
} certificates_t;

/* Reads them from folder, or makes them there. */
int certificates_init(certificates_t *self, const char *folder, err_t *err);
void certificates_done(certificates_t *self);

#endif
