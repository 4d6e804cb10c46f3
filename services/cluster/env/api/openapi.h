/* openapi - the API's description of itself, for kubectl explain, apply and validation.
 *
 * Made anew for each request from the table of fields and the kinds: a client asks once, and an
 * environment that nobody asks pays nothing. */
#ifndef CLUSTER_ENV_API_OPENAPI_H
#define CLUSTER_ENV_API_OPENAPI_H

#include "services/cluster/env/api/served.h"

/* Swagger 2.0, which has everything in one document, or OpenAPI 3, one for each group version. */
typedef enum { OPENAPI_V2, OPENAPI_V3 } openapi_form_t;

/* Answers /openapi/v2 and below /openapi/v3; false if the path is neither. */
bool openapi_handle(api_t *self, request_t *request);

/* ---- the parts ---------------------------------------------------------------------------- */

/* Adds the schema of a served kind and of all that it consists of. */
void openapi_add_schema(json_t *schemas, openapi_form_t form, const served_t *served);

/* The name of a served kind's schema, "io.k8s.api.core.v1.Pod"; for free(). */
char *openapi_schema_name(const served_t *served);

/* A new reference to a schema. */
json_t *openapi_reference(openapi_form_t form, const char *schema_name);

/* Adds what can be done with a served kind. */
void openapi_add_paths(json_t *paths, openapi_form_t form, const served_t *served);

/* A version 2 document in the protobuf form of gnostic's openapi.v2.Document. */
void openapi_encode(buffer_t *out, const json_t *document);

#endif
