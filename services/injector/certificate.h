/* certificate - a key and a certificate that signs itself, for servers that faults make talk TLS.
 */
#ifndef INJECTOR_CERTIFICATE_H
#define INJECTOR_CERTIFICATE_H

#include "base/err.h"

#include <jansson.h>

/* For a host name; *data_p is a new {"tls.crt": …, "tls.key": …}, PEM in base64, as the
 * data of a Secret. */
int certificate_make(const char *host, json_t **data_p, err_t *err);

#endif
