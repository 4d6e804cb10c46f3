/* Names, labels, metadata, data: the validation that every kind needs. */
#include "services/cluster/env/kinds/checks.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>

enum { LABEL_MAX = 63, SUBDOMAIN_MAX = 253, ANNOTATIONS_MAX = 256 * 1024 };

static const char why_label[] =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
static const char why_subdomain[] =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
static const char why_service[] =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
static const char why_value[] =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
static const char why_key[] =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/* ---- names -------------------------------------------------------------------------------- */

static bool is_low(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_dns_label(const char *text, size_t length)
{
    if (!length || !is_low(text[0]) || !is_low(text[length - 1]))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_low(text[i]) && text[i] != '-')
            return false;
    }
    return true;
}

static bool is_subdomain(const char *text)
{
    for (;;) {
        size_t length = strcspn(text, ".");
        if (!is_dns_label(text, length))
            return false;
        if (!text[length])
            return true;
        text += length + 1;
    }
}

static const char *why_no_path_part(const char *name)
{
    if (!strcmp(name, "."))
        return "may not be '.'";
    if (!strcmp(name, ".."))
        return "may not be '..'";
    if (strchr(name, '/'))
        return "may not contain '/'";
    return strchr(name, '%') ? "may not contain '%'" : NULL;
}

bool name_is_valid(const char *name, name_form_t form, const char **why_p)
{
    const char *why = NULL;
    size_t length = strlen(name);
    if (form == NAME_PATH)
        why = why_no_path_part(name);
    else if (form == NAME_SUBDOMAIN && length > SUBDOMAIN_MAX)
        why = "must be no more than 253 characters";
    else if ((form == NAME_LABEL || form == NAME_SERVICE) && length > LABEL_MAX)
        why = "must be no more than 63 characters";
    else if (form == NAME_SUBDOMAIN && !is_subdomain(name))
        why = why_subdomain;
    else if (form == NAME_LABEL && !is_dns_label(name, length))
        why = why_label;
    else if (form == NAME_SERVICE
             && (!is_dns_label(name, length) || isdigit((unsigned char)name[0])))
        why = why_service;
    if (why_p)
        *why_p = why;
    return !why;
}

static void invalid_string(
    causes_t *causes, const char *field, const char *value, const char *detail)
{
    json_auto_t *shown = json_string(value);
    causes_invalid(causes, field, shown, detail);
}

void check_name(causes_t *causes, const char *field, const char *name, name_form_t form)
{
    const char *why;
    if (!name_is_valid(name, form, &why))
        invalid_string(causes, field, name, why);
}

/* ---- labels ------------------------------------------------------------------------------- */

/* [A-Za-z0-9][-A-Za-z0-9_.]*[A-Za-z0-9], at most 63 */
static bool is_label_text(const char *text)
{
    size_t length = strlen(text);
    if (!length || length > LABEL_MAX || !isalnum((unsigned char)text[0])
        || !isalnum((unsigned char)text[length - 1]))
        return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
           == length;
}

static void check_key(causes_t *causes, const char *field, const char *key)
{
    const char *slash = strchr(key, '/');
    if (slash) {
        AUTO_FREE char *prefix = xstrndup(key, (size_t)(slash - key));
        if (!name_is_valid(prefix, NAME_SUBDOMAIN, NULL)) {
            invalid_string(causes, field, key, "prefix part must be a DNS subdomain");
            return;
        }
        key = slash + 1;
    }
    if (!is_label_text(key))
        invalid_string(causes, field, key, why_key);
}

void check_labels(causes_t *causes, const char *field, const json_t *labels)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)labels, key, value)
    {
        const char *text = json_string_value(value);
        check_key(causes, field, key);
        if (text && strlen(text) > LABEL_MAX)
            invalid_string(causes, field, text, "must be no more than 63 characters");
        else if (text && *text && !is_label_text(text))
            invalid_string(causes, field, text, why_value);
    }
}

static void check_annotations(causes_t *causes, const json_t *annotations)
{
    const char *key;
    json_t *value;
    size_t size = 0;
    json_object_foreach((json_t *)annotations, key, value)
    {
        check_key(causes, "metadata.annotations", key);
        size += strlen(key) + json_string_length(value);
    }
    if (size > ANNOTATIONS_MAX) {
        AUTO_FREE char *message = xasprintf("must have at most %d bytes", ANNOTATIONS_MAX);
        causes_invalid_text(causes, "metadata.annotations", "\"\"", message);
    }
}

static void check_owners(causes_t *causes, const json_t *references)
{
    static const char *const required[] = {"apiVersion", "kind", "name", "uid"};
    size_t i;
    json_t *reference;
    json_array_foreach(references, i, reference)
    {
        for (size_t j = 0; j < ARRAY_SIZE(required); j++) {
            if (*object_string(reference, required[j]))
                continue;
            AUTO_FREE char *field = xasprintf("metadata.ownerReferences[%zu].%s", i, required[j]);
            invalid_string(causes, field, "", "must not be empty");
        }
    }
}

void check_metadata(causes_t *causes, const json_t *object, name_form_t form)
{
    const json_t *metadata = json_object_get(object, "metadata");
    const char *name = object_name(object);
    if (!*name)
        causes_required(causes, "metadata.name", "name or generateName is required");
    else
        check_name(causes, "metadata.name", name, form);
    check_labels(causes, "metadata.labels", json_object_get(metadata, "labels"));
    check_annotations(causes, json_object_get(metadata, "annotations"));
    check_owners(causes, json_object_get(metadata, "ownerReferences"));
}

/* ---- config maps and secrets -------------------------------------------------------------- */

static void check_data_keys(causes_t *causes, const char *member, const json_t *data)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)data, key, value)
    {
        if (*key
            && strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
                   == strlen(key))
            continue;
        AUTO_FREE char *field = xasprintf("%s[%s]", member, key);
        invalid_string(causes, field, key,
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
            "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
            "'[-._a-zA-Z0-9]+')");
    }
}

void check_data(causes_t *causes, const json_t *object, const json_t *old)
{
    static const char *const members[] = {"data", "binaryData"};
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const json_t *data = json_object_get(object, members[i]);
        const json_t *old_data = json_object_get(old, members[i]);
        check_data_keys(causes, members[i], data);
        if (object_is_true(old, "immutable") && (data || old_data)
            && !(data && old_data && json_equal(data, old_data)))
            causes_forbidden(causes, members[i], "field is immutable when `immutable` is set");
    }
    if (object_is_true(old, "immutable") && !object_is_true(object, "immutable"))
        causes_forbidden(causes, "immutable", "field is immutable when `immutable` is set");
}

void check_port(causes_t *causes, const char *field, const json_t *port)
{
    enum { PORT_MAX = 65535 };
    if (json_is_integer(port) && json_integer_value(port) > 0
        && json_integer_value(port) <= PORT_MAX)
        return;
    if (!port || json_is_null(port) || (json_is_integer(port) && !json_integer_value(port)))
        causes_required(causes, field, NULL);
    else
        causes_invalid(causes, field, port, "must be between 1 and 65535, inclusive");
}
