#include "services/cluster/env/admission/admission.h"

#include "services/cluster/env/admission/limit_range.h"
#include "services/cluster/env/admission/pod_security.h"
#include "services/cluster/env/admission/quota.h"
#include "services/cluster/env/object.h"

int admission_check(store_t *store, const kind_t *kind, const json_t *object, const json_t *old,
    json_t *warnings, err_t *err)
{
    err_t why = {0};
    if (limit_range_admit(store, kind, object, old, &why) == 0
        && pod_security_admit(store, kind, object, old, warnings, &why) == 0
        && quota_admit(store, kind, object, old, &why) == 0)
        return 0;
    return err_set(err, ERR_FORBIDDEN, "%s \"%s\" is forbidden: %s", kind_qualified(kind),
        object_name(object), why.text);
}
