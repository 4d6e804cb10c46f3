/* document - a YAML file as nodes that know their place, to be held against a schema.
 * Private to lib/schema. */
#ifndef SCHEMA_DOCUMENT_H
#define SCHEMA_DOCUMENT_H

#include "base/err.h"

#include <cyaml/cyaml.h>
#include <stdarg.h>
#include <yaml.h>

typedef struct document {
    const char *path; /* of the file; borrowed */
    char *text;
    size_t size;
    yaml_document_t yaml;
    char node[192]; /* where the check is: "problems[2].task" */
    err_t *err;     /* borrowed */
} document_t;

/* Reads and parses a file; *self is for document_done() whatever comes back. */
int document_init(document_t *self, const char *path, err_t *err);
void document_done(document_t *self);

/* 0 if every node is what the schema expects, else -ERR_INVALID with the first that is not. */
int document_check(document_t *self, const cyaml_schema_value_t *schema);

/* Fails with path, line and column of the node, and the sentence. */
int document_fail_at(document_t *self, const yaml_node_t *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Fails at the node so named, or at its nearest parent. */
int document_fail(document_t *self, const char *name, const char *format, va_list args);

#endif
