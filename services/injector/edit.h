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

/* In force while any of it is as it was made; repaired else. */
int edit_alive(fault_work_t *work, err_t *err);

/* An earlier fault of the same environment has been undone: where a later one had changed the same
 * paths, the later one's "before" becomes the earlier one's. Saves the later's record. */
int edit_inherit(record_t *later, const record_t *earlier, err_t *err);

#endif
