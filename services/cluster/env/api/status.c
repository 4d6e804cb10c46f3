/* Status objects. */
#include "services/cluster/env/api/status.h"

#include "base/auto.h"
#include "base/mem.h"

json_t *status_new(int code, const char *reason, const char *message, json_t *details)
{
    json_t *status = json_pack("{s:s, s:s, s:{}, s:s, s:s, s:s}", "kind", "Status", "apiVersion",
        "v1", "metadata", "status", "Failure", "message", message, "reason", reason);
    if (!status) /* a message that is not UTF-8 came from outside */
        return status_new(code, reason, "the request has bytes that are not UTF-8", details);
    if (details)
        json_object_set_new(status, "details", details);
    json_object_set_new(status, "code", json_integer(code));
    return status;
}

json_t *status_details(const kind_t *kind, const char *name)
{
    json_t *details = json_object();
    if (name && *name)
        json_object_set_new(details, "name", json_string(name));
    if (*kind->group)
        json_object_set_new(details, "group", json_string(kind->group));
    json_object_set_new(details, "kind", json_string(kind->plural));
    return details;
}

static void reply_message(
    request_t *self, int code, const char *reason, json_t *details, const char *message)
{
    reply_json(self, code, status_new(code, reason, message, details));
}

void reply_status(
    request_t *self, int code, const char *reason, json_t *details, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_FREE char *message = NULL;
    if (vasprintf(&message, format, args) < 0)
        abort();
    va_end(args);
    reply_message(self, code, reason, details, message);
}

void reply_bad_request(request_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_FREE char *message = NULL;
    if (vasprintf(&message, format, args) < 0)
        abort();
    va_end(args);
    reply_message(self, 400, "BadRequest", NULL, message);
}

void reply_not_found(request_t *self, const kind_t *kind, const char *name)
{
    reply_status(self, 404, "NotFound", status_details(kind, name), "%s \"%s\" not found",
        kind_qualified(kind), name);
}

void reply_invalid(request_t *self, const kind_t *kind, const char *name, const causes_t *causes)
{
    AUTO_FREE char *text = causes_text(causes);
    json_t *details = status_details(kind, name);
    json_object_set_new(details, "kind", json_string(kind->name));
    json_object_set(details, "causes", causes->list);
    reply_status(self, 422, "Invalid", details, "%s%s%s \"%s\" is invalid: %s", kind->name,
        *kind->group ? "." : "", kind->group, name, text);
}

void reply_store_error(request_t *self, const kind_t *kind, const char *name, const err_t *err)
{
    static const char namespace_missing[] = "namespaces \"";
    json_t *details = status_details(kind, name);
    switch (err->code) {
    case ERR_NOT_FOUND:
        if (!strncmp(err->text, namespace_missing, sizeof(namespace_missing) - 1)) {
            json_decref(details);
            details = status_details(kind_find("Namespace"), name);
            json_object_set_new(details, "name",
                json_stringn(err->text + sizeof(namespace_missing) - 1,
                    strcspn(err->text + sizeof(namespace_missing) - 1, "\"")));
        }
        reply_message(self, 404, "NotFound", details, err->text);
        return;
    case ERR_EXISTS:
        reply_message(self, 409, "AlreadyExists", details, err->text);
        return;
    case ERR_STATE:
        reply_message(self, 409, "Conflict", details, err->text);
        return;
    case ERR_FORBIDDEN:
        reply_message(self, 403, "Forbidden", details, err->text);
        return;
    case ERR_NONE:
    case ERR_INVALID:
    case ERR_TIMEOUT:
    case ERR_IO:
    case ERR_LIMIT:
    case ERR_OVERLOADED:
    case ERR_UNAVAILABLE:
        break;
    }
    json_decref(details);
    reply_message(self, 400, "BadRequest", NULL, err->text);
}

void reply_not_allowed(request_t *self)
{
    reply_status(self, 405, "MethodNotAllowed", NULL,
        "the server does not allow this method on the requested resource");
}
