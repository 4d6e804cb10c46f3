/* keys - faults of what ConfigMaps and Secrets hold. */
#ifndef INJECTOR_KEYS_H
#define INJECTOR_KEYS_H

#include "services/injector/fault.h"

/* Takes the parameter "key" (or the first) out of the object of that kind and name, or, with a
 * value, gives it that one (text; a Secret's is encoded). Then those pods start anew that use the
 * object, since most read it only then. */
int keys_break(
    fault_work_t *work, const char *kind, const char *name, const char *value, err_t *err);

#endif
