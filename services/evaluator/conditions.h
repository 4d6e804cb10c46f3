/* conditions - what was measured of a mitigation, by condition. */
#ifndef EVALUATOR_CONDITIONS_H
#define EVALUATOR_CONDITIONS_H

#include "bus/bus.h"
#include "proto/messages.h"

#include <jansson.h>
#include <stdbool.h>

/* In the order in which they are told. */
typedef enum {
    CONDITION_FAULT_GONE,
    CONDITION_READY,
    CONDITION_LASTS,
    CONDITION_LOAD,
    CONDITION_UNBROKEN,
    CONDITION_COUNT
} condition_t;

typedef struct conditions {
    json_t *seen[CONDITION_COUNT]; /* {met, measured}; NULL: not measured */
} conditions_t;

void conditions_done(conditions_t *self);

/* Notes what was measured, in place of what was measured before; measured is taken. */
void conditions_note(conditions_t *self, condition_t condition, bool is_met, json_t *measured);

bool conditions_are_met(const conditions_t *self);

/* [{condition, met, measured}]; a new reference. */
json_t *conditions_to_json(const conditions_t *self);

/* ---- the rules ----------------------------------------------------------------------------- */

/* Whether a fault's check says that it is not in force; reply->err: nobody knows it any more. */
bool conditions_is_fault_gone(const bus_reply_t *reply);

/* Notes a fault's check beside the others'. */
void conditions_note_fault(conditions_t *self, const bus_reply_t *reply);

/* A fresh load against what the problem expects and what load was before the fault. */
void conditions_note_load(
    conditions_t *self, const load_report_t *report, const json_t *problem, const json_t *baseline);

/* What differs from the baseline: snapshot_compare(). */
void conditions_note_difference(conditions_t *self, const json_t *difference);

/* {objects_changed, …} outside of the faults' targets; a new reference. */
json_t *conditions_blast_radius(const json_t *difference, const json_t *problem);

#endif
