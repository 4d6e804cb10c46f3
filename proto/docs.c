/* proto-docs - writes PROTOCOL.md or asyncapi.yaml from the message tables.
 *
 *     proto-docs protocol HEAD.md > PROTOCOL.md       HEAD.md is copied in front
 *     proto-docs asyncapi > asyncapi.yaml */
#include "proto/messages.h"

#include "base/auto.h"

#include <stdio.h>
#include <string.h>

static const struct kind_name {
    const char *in_text; /* in PROTOCOL.md */
    const char *schema;  /* in JSON Schema, the language of AsyncAPI payloads */
} kind_names[] = {
    [CODEC_STR] = {"string", "type: string"},
    [CODEC_I64] = {"integer", "type: integer"},
    [CODEC_F64] = {"number", "type: number"},
    [CODEC_BOOL] = {"boolean", "type: boolean"},
    [CODEC_BIN] = {"binary", "type: string, format: binary"},
    [CODEC_STR_LIST] = {"array of strings", "type: array, items: {type: string}"},
    [CODEC_VALUE] = {"any", "description: any"},
};

static bool is_request(const codec_type_t *type)
{
    return strcmp(type->target, "reply") != 0 && strcmp(type->target, "event") != 0;
}

/* ---- PROTOCOL.md ---------------------------------------------------------------------------- */

static void print_roles(const codec_type_t *type)
{
    const char *separator = "";
    static const char *const names[] = {"service", "operator", "agent"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (type->callers & 1U << i) {
            printf("%s%s", separator, names[i]);
            separator = ", ";
        }
    }
}

static void print_message(const codec_type_t *type)
{
    printf("### `%s`\n\n%s\n\n", type->name, type->doc);
    if (is_request(type)) {
        printf("Request to `%s`; may be sent by ", type->target);
        print_roles(type);
        printf("; %s.\n\n", type->is_idempotent ? "idempotent" : "not idempotent");
    } else {
        printf("%s.\n\n", strcmp(type->target, "reply") == 0 ? "Reply" : "Event");
    }
    if (!type->field_count)
        return;
    printf("| field | type | |\n| --- | --- | --- |\n");
    for (size_t i = 0; i < type->field_count; i++) {
        const codec_field_t *field = &type->fields[i];
        printf("| `%s` | %s%s | %s |\n", field->name, kind_names[field->kind].in_text,
            field->is_optional ? ", optional" : "", field->doc);
    }
    printf("\n");
}

static int print_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        return -1;
    }
    for (int c = fgetc(file); c != EOF; c = fgetc(file))
        putchar(c);
    fclose(file);
    return 0;
}

static int print_protocol(const char *head)
{
    if (print_file(head) < 0)
        return EXIT_FAILURE;
    size_t count;
    const codec_type_t *const *types = codec_types(&count);
    for (size_t i = 0; i < count; i++)
        print_message(types[i]);
    return EXIT_SUCCESS;
}

/* ---- asyncapi.yaml -------------------------------------------------------------------------- */

static void print_quoted(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

static void print_schema(const codec_type_t *type)
{
    printf("    %s:\n      name: %s\n      summary: ", type->name, type->name);
    print_quoted(type->doc);
    printf("\n      payload:\n        type: object\n");
    if (type->field_count)
        printf("        properties:\n");
    for (size_t i = 0; i < type->field_count; i++)
        printf(
            "          %s: {%s}\n", type->fields[i].name, kind_names[type->fields[i].kind].schema);
    const char *before = "        required: [";
    for (size_t i = 0; i < type->field_count; i++) {
        if (!type->fields[i].is_optional) {
            printf("%s%s", before, type->fields[i].name);
            before = ", ";
        }
    }
    if (before[0] == ',')
        printf("]\n");
}

static void print_channel(const codec_type_t *type)
{
    printf("  %s:\n    address: %s\n    messages:\n", type->name, type->target);
    printf("      %s: {$ref: '#/components/messages/%s'}\n", type->name, type->name);
}

static int print_asyncapi(void)
{
    size_t count;
    const codec_type_t *const *types = codec_types(&count);
    printf("# Made from messages.def by proto-docs; do not edit.\n"
           "asyncapi: 3.0.0\n"
           "info:\n  title: AIOpsLab bus\n  version: '1'\n"
           "  description: Bodies of the envelopes that PROTOCOL.md describes.\n"
           "defaultContentType: application/msgpack\n"
           "channels:\n");
    for (size_t i = 0; i < count; i++)
        print_channel(types[i]);
    printf("operations:\n");
    for (size_t i = 0; i < count; i++) {
        if (is_request(types[i]))
            printf("  %s: {action: send, channel: {$ref: '#/channels/%s'}}\n", types[i]->name,
                types[i]->name);
    }
    printf("components:\n  messages:\n");
    for (size_t i = 0; i < count; i++)
        print_schema(types[i]);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "protocol") == 0)
        return print_protocol(argv[2]);
    if (argc == 2 && strcmp(argv[1], "asyncapi") == 0)
        return print_asyncapi();
    fprintf(stderr, "usage: proto-docs protocol HEAD.md | proto-docs asyncapi\n");
    return 2;
}
