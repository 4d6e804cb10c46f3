/* targets - which objects the targets of a fault stand for. */
#ifndef INJECTOR_TARGETS_H
#define INJECTOR_TARGETS_H

#include "services/injector/fault.h"

/* Fills the record's list of what is struck, unless it is filled, and saves it. Fails if there is
 * no such object, saying which are near. */
int targets_resolve(fault_work_t *work, err_t *err);

#endif
