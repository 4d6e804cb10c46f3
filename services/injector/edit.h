/* edit - changes of objects that are on record before they are made, and undo themselves.
 *
 * What most faults are made of: inject() calls the first functions, and recover and alive are the
 * last two. */
#ifndef INJECTOR_EDIT_H
#define INJECTOR_EDIT_H

#include "services/injector/fault.h"

/* Makes of an object, as it was read, what a changed copy of it is. On a conflict the change is
 * made on what is there now. */
int edit_change(fault_work_t *work, const json_t *before, const json_t *after, err_t *err);

/* Creates the object (taken). */
int edit_create(fault_work_t *work, json_t *object, err_t *err);

/* Deletes an object, as it was read. */
int edit_remove(fault_work_t *work, const json_t *object, err_t *err);

/* Undoes all that is on record, the last first; see docs/decisions/0601-fault-library.md. */
int edit_recover(fault_work_t *work, err_t *err);

/* In force while any object is as an edit left it in all its parts, edits aside not counted, and no
 * workload that was restarted has another pod specification since: then somebody found another way.
 * Repaired else. */
int edit_alive(fault_work_t *work, err_t *err);

/* The object of that kind in the fault's namespace; *object_p stays NULL if there is none. */
int edit_look(
    fault_work_t *work, const char *kind, const char *name, json_t **object_p, err_t *err);

/* Whether a later fault has changed what the earlier one had made, so that the earlier one is in
 * force below it. */
bool edit_covers(const record_t *later, const record_t *earlier);

/* An earlier fault of the same environment has been undone: where a later one had changed the same
 * paths, the later one's "before" becomes the earlier one's. Saves the later's record. */
int edit_inherit(record_t *later, const record_t *earlier, err_t *err);

#endif
