/* Bodies. */
#include "services/cluster/env/api/body.h"

#include "services/cluster/env/api/duplicates.h"
#include "services/cluster/env/api/protobuf.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/custom.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/schema/fields.h"

#include "base/auto.h"
#include "base/mem.h"
#include "yaml/yaml_json.h"

static const char protobuf_type[] = "application/vnd.kubernetes.protobuf";

/* The only document of a YAML text. */
static json_t *decode_yaml(const buffer_t *body, err_t *err)
{
    json_auto_t *documents = NULL;
    if (yaml_json_parse("body", body->bytes, body->size, &documents, err) < 0)
        return NULL;
    if (json_array_size(documents) == 1)
        return json_incref(json_array_get(documents, 0));
    err_set(err, ERR_INVALID, "the body must hold one YAML document");
    return NULL;
}

json_t *body_decode(const request_t *request, err_t *err)
{
    json_error_t where;
    const char *type = request->content_type;
    if (type && !strncmp(type, protobuf_type, sizeof(protobuf_type) - 1))
        return protobuf_decode(request->body.bytes, request->body.size, err);
    if (!request->body.size) {
        err_set(err, ERR_INVALID, "the body is empty");
        return NULL;
    }
    json_t *value = json_loadb(request->body.bytes, request->body.size, 0, &where);
    if (!value && type && strstr(type, "yaml"))
        return decode_yaml(&request->body, err);
    if (!value)
        err_set(err, ERR_INVALID,
            "couldn't get version/kind; json parse error: %s (line %d, column %d)", where.text,
            where.line, where.column);
    return value;
}

static int check_type(const kind_t *kind, const json_t *object, err_t *err)
{
    const char *name = object_string(object, "kind");
    const char *version = object_string(object, "apiVersion");
    if (!*name)
        return err_set(err, ERR_INVALID, "Object 'Kind' is missing in the request's body");
    if (!*version)
        return err_set(err, ERR_INVALID, "Object 'apiVersion' is missing in the request's body");
    if (strcmp(version, kind_api_version(kind)) != 0)
        return err_set(err, ERR_INVALID,
            "the API version in the data (%s) does not match the expected API version (%s)",
            version, kind_api_version(kind));
    if (strcmp(name, kind->name) != 0)
        return err_set(err, ERR_INVALID, "%s in version \"%s\" cannot be handled as a %s", name,
            kind->version, kind->name);
    return 0;
}

/* Refuses, warns of or ignores fields that are twice in the body or unknown; false if the request
 * was answered. */
static bool report_fields(request_t *request, const kind_t *kind, const json_t *unknown)
{
    const char *validation = request_query(request, "fieldValidation");
    json_auto_t *told = json_array();
    size_t i;
    json_t *text;
    if (!validation || !strcmp(validation, "Ignore"))
        return true;
    duplicates_find(request->body.bytes, request->body.size, told);
    json_array_extend(told, (json_t *)unknown);
    if (!strcmp(validation, "Warn")) {
        json_array_foreach(told, i, text) reply_warn(request, json_string_value(text));
    }
    if (strcmp(validation, "Strict") != 0 || !json_array_size(told))
        return true;
    AUTO(buffer_done) buffer_t list = {0};
    json_array_foreach(told, i, text)
        buffer_format(&list, "%s%s", i ? ", " : "", json_string_value(text));
    reply_bad_request(request,
        "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s", kind->name,
        kind->version, kind->name, list.bytes);
    return false;
}

/* Of a custom object the metadata alone has a type of ours. */
static int check_custom(const kind_t *kind, json_t *object, json_t *unknown, err_t *err)
{
    json_t *wrapped = json_object();
    json_t *metadata = json_object_get(object, "metadata");
    if (metadata)
        json_object_set(wrapped, "metadata", metadata);
    int rc = fields_check(wrapped, "custom.Metadata", unknown, err);
    json_decref(wrapped);
    custom_shape(kind, object, unknown);
    return rc;
}

static int check_fields(const kind_t *kind, json_t *object, json_t *unknown, err_t *err)
{
    return kind->custom ? check_custom(kind, object, unknown, err)
                        : fields_check(object, kind->type, unknown, err);
}

/* False if the request was answered. */
static bool check_validation(request_t *request)
{
    const char *value = request_query(request, "fieldValidation");
    const char *options = !strcmp(request->method, "POST")  ? "CreateOptions"
                          : !strcmp(request->method, "PUT") ? "UpdateOptions"
                                                            : "PatchOptions";
    if (!value || !*value || !strcmp(value, "Ignore") || !strcmp(value, "Warn")
        || !strcmp(value, "Strict"))
        return true;
    reply_status(request, 422, "Invalid",
        json_pack("{s:s, s:s, s:[{s:s, s:o, s:s}]}", "group", "meta.k8s.io", "kind", options,
            "causes", "reason", "FieldValueNotSupported", "message",
            json_sprintf("Unsupported value: \"%s\": supported values: \"Ignore\", \"Strict\", "
                         "\"Warn\"",
                value),
            "field", "fieldValidation"),
        "%s.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: \"%s\": supported "
        "values: \"Ignore\", \"Strict\", \"Warn\"",
        options, value);
    return false;
}

json_t *body_check(request_t *request, const kind_t *kind, json_t *object)
{
    err_t err = {0};
    json_auto_t *checked = object;
    json_auto_t *unknown = json_array();
    if (!check_validation(request))
        return NULL;
    if (!json_is_object(checked)) {
        reply_bad_request(request, "json: cannot unmarshal %s into Go value of type %s",
            json_is_array(checked) ? "array" : "value", kind->name);
        return NULL;
    }
    if (check_fields(kind, checked, unknown, &err) < 0) {
        reply_bad_request(request, "%s in version \"%s\" cannot be handled as a %s: %s", kind->name,
            kind->version, kind->name, err.text);
        return NULL;
    }
    if (!json_is_object(json_object_get(checked, "metadata")))
        json_object_set_new(checked, "metadata", json_object());
    return report_fields(request, kind, unknown) ? TAKE(checked) : NULL;
}

json_t *body_object(request_t *request, const kind_t *kind)
{
    err_t err = {0};
    json_auto_t *object = body_decode(request, &err);
    if (!object || check_type(kind, object, &err) < 0) {
        reply_bad_request(request, "%s", err.text);
        return NULL;
    }
    return body_check(request, kind, TAKE(object));
}
