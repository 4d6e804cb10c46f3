/* CertificateSigningRequest: somebody wants a certificate, and somebody else may approve that. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/kinds.h"

#include "base/auto.h"
#include "base/base64.h"

#include <string.h>

static void check_request(causes_t *causes, const json_t *object)
{
    size_t size;
    AUTO_FREE char *text = base64_decode(object_string(object, "spec.request"), &size);
    if (!strstr(text, "-----BEGIN CERTIFICATE REQUEST-----"))
        causes_invalid(causes, "spec.request", object_at(object, "spec.request"),
            "PEM block type must be CERTIFICATE REQUEST");
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    (void)old;
    check_metadata(causes, object, NAME_SUBDOMAIN);
    check_request(causes, object);
    if (!json_array_size(object_at(object, "spec.usages")))
        causes_required(causes, "spec.usages", NULL);
    if (!*object_string(object, "spec.signerName"))
        causes_required(causes, "spec.signerName", NULL);
    if (object_integer(object, "spec.expirationSeconds", 600) < 600)
        causes_invalid(causes, "spec.expirationSeconds",
            object_at(object, "spec.expirationSeconds"),
            "may not specify a duration less than 600 seconds (10 minutes)");
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    char duration[DURATION_SIZE] = "<none>";
    int64_t seconds = object_integer(object, "spec.expirationSeconds", 0);
    const char *decision = object_condition(object, "Denied")     ? "Denied"
                           : object_condition(object, "Approved") ? "Approved"
                                                                  : "Pending";
    if (seconds)
        human_duration(duration, seconds);
    cells_string(cells, object_name(object));
    cells_age(cells, object, now);
    cells_at(cells, object, "spec.signerName", "<none>");
    cells_at(cells, object, "spec.username", "");
    cells_string(cells, duration);
    cells_format(cells, "%s%s%s", decision, object_condition(object, "Failed") ? ",Failed" : "",
        *object_string(object, "status.certificate") ? ",Issued" : "");
}

static const char *const short_names[] = {"csr", NULL};
static const char *const fields[] = {"spec.signerName", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN_AGE, COLUMN("SignerName"),
    COLUMN("Requestor"), COLUMN("RequestedDuration"), COLUMN("Condition"), {0}};

const kind_t kind_signing_request = {
    .name = "CertificateSigningRequest",
    .group = "certificates.k8s.io",
    .version = "v1",
    .plural = "certificatesigningrequests",
    .singular = "certificatesigningrequest",
    .type = "certificates/v1.CertificateSigningRequest",
    .short_names = short_names,
    .fields = fields,
    .has_status = true,
    .columns = columns,
    .validate = validate,
    .row = row,
};
