/* base64 - as Secrets hold their values (RFC 4648). */
#ifndef CLUSTER_ENV_KUBELET_BASE64_H
#define CLUSTER_ENV_KUBELET_BASE64_H

#include <stddef.h>

/* New memory, NUL-terminated beyond its size. What is no digit is skipped, as the API server has
 * refused it already. */
char *base64_decode(const char *text, size_t *size_p);

#endif
