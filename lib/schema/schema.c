#include "schema/schema.h"

#include "base/mem.h"
#include "schema/document.h"

/* What the document's check let pass and libcyaml still refuses: only its first line counts. */
static void on_log(cyaml_log_t level, void *ctx, const char *format, va_list args)
{
    char *text = ctx;
    (void)level;
    if (!*text)
        vsnprintf(text, sizeof(((err_t *)0)->text), format, args);
}

static void *allocate(void *ctx, void *memory, size_t size)
{
    (void)ctx;
    if (size)
        return mem_check(realloc(memory, size));
    free(memory);
    return NULL;
}

static cyaml_config_t config_with(char *text)
{
    return (cyaml_config_t){.log_fn = text ? on_log : NULL,
        .log_ctx = text,
        .log_level = CYAML_LOG_ERROR,
        .mem_fn = allocate};
}

static int bind_structs(document_t *document, const cyaml_schema_value_t *schema, void **data_p)
{
    char text[sizeof(document->err->text)] = "";
    cyaml_config_t config = config_with(text);
    cyaml_err_t rc = cyaml_load_data((const uint8_t *)document->text, document->size, &config,
        schema, (cyaml_data_t **)data_p, NULL);
    if (rc == CYAML_OK)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    return err_set(document->err, ERR_INVALID, "%s:1:1: %s", document->path,
        *text ? text : cyaml_strerror(rc));
}

int schema_load(const char *path, const cyaml_schema_value_t *schema, void **data_p, err_t *err)
{
    document_t document;
    int rc = document_init(&document, path, err);
    if (rc == 0)
        rc = document_check(&document, schema);
    if (rc == 0)
        rc = bind_structs(&document, schema, data_p);
    document_done(&document);
    return rc;
}

void schema_free(const cyaml_schema_value_t *schema, void *data)
{
    cyaml_config_t config = config_with(NULL);
    if (data)
        (void)cyaml_free(&config, schema, data, 0); /* fails only on a wrong schema */
}

int schema_fail(const char *path, const char *node, err_t *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    document_t document;
    int rc = document_init(&document, path, err);
    if (rc == 0)
        rc = document_fail(&document, node, format, args);
    document_done(&document);
    va_end(args);
    return rc;
}
