/* cells - the values of a printed table row, as printers.go of Kubernetes makes them. */
#ifndef CLUSTER_ENV_KINDS_CELLS_H
#define CLUSTER_ENV_KINDS_CELLS_H

#include "services/cluster/env/kind.h"

#include <jansson.h>
#include <stdint.h>
#include <time.h>

/* Columns that many kinds have. */
#define COLUMN_NAME                                                                                \
    {                                                                                              \
        "Name", "string", "name", 0                                                                \
    }
#define COLUMN_AGE                                                                                 \
    {                                                                                              \
        "Age", "string", "", 0                                                                     \
    }
#define COLUMN(name)                                                                               \
    {                                                                                              \
        name, "string", "", 0                                                                      \
    }
#define COLUMN_INTEGER(name)                                                                       \
    {                                                                                              \
        name, "integer", "", 0                                                                     \
    }
#define COLUMN_WIDE(name)                                                                          \
    {                                                                                              \
        name, "string", "", 1                                                                      \
    }

enum { DURATION_SIZE = 32 };

/* "90s", "3m4s", "5d3h": duration.HumanDuration. */
void human_duration(char text[DURATION_SIZE], int64_t seconds);

void cells_string(json_t *cells, const char *text);
void cells_format(json_t *cells, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cells_integer(json_t *cells, int64_t value);
/* The string at a path, or otherwise. */
void cells_at(json_t *cells, const json_t *object, const char *path, const char *otherwise);
/* How long ago a time was, "<unknown>" for none. */
void cells_since(json_t *cells, const char *time, time_t now);
/* How long ago the object was made. */
void cells_age(json_t *cells, const json_t *object, time_t now);
/* A map of labels as "a=b,c=d", sorted, "<none>" if empty. */
void cells_labels(json_t *cells, const json_t *labels);
/* A LabelSelector in the same form. */
void cells_selector(json_t *cells, const json_t *selector);
/* Two cells: names and images of a pod spec's containers. */
void cells_containers(json_t *cells, const json_t *pod_spec);
/* At most three of an array of strings, "<none>" if empty. */
void cells_some(json_t *cells, const json_t *texts, const char *none);

/* The row of kinds of which only name and age are shown. */
void row_name_age(const json_t *object, time_t now, json_t *cells);

#endif
