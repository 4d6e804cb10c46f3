/* selector - which objects a label or field selector picks.
 *
 * Label selectors come as text ("app=web,tier in (a,b),!old") or as a LabelSelector object
 * (matchLabels, matchExpressions); field selectors as text
 * ("spec.nodeName=n1,status.phase!=Failed"). */
#ifndef CLUSTER_ENV_SELECTOR_H
#define CLUSTER_ENV_SELECTOR_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct selector selector_t;

/* Parses label selector text. The empty text picks everything. The error's text is that of a real
 * API server ("unable to parse requirement: …"). */
selector_t *selector_parse(const char *text, err_t *err);

/* Parses field selector text. Which fields a kind has is the caller's to check: see
 * selector_key(). */
selector_t *selector_parse_fields(const char *text, err_t *err);

/* Reads a LabelSelector object; NULL picks nothing, {} everything. */
selector_t *selector_new(const json_t *label_selector, err_t *err);

void selector_destroy(selector_t **self_p);

/* Whether a labels object (may be NULL) is picked. */
bool selector_matches(const selector_t *self, const json_t *labels);

/* Whether an object's fields are picked: each key is a path, a missing value is "". */
bool selector_matches_fields(const selector_t *self, const json_t *object);

bool selector_is_empty(const selector_t *self);

/* The i-th requirement's key, or NULL past the end. */
const char *selector_key(const selector_t *self, size_t i);

/* The value that a field selector demands of key by "=", or NULL. */
const char *selector_value_of(const selector_t *self, const char *key);

/* Whether a plain map of labels (a Service's spec.selector) is contained in labels. An empty or
 * missing map picks nothing, as for Services. */
bool selector_map_matches(const json_t *map, const json_t *labels);

#endif
