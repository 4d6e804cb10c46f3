#include "services/orchestrator/table.h"

#include "base/auto.h"
#include "base/mem.h"

enum { COLUMNS_MAX = 32 };

/* Takes one field off a line, unquoted in place; *at_p is moved behind it, or to NULL after the
 * last. */
static char *take_field(char **at_p)
{
    char *begin = *at_p;
    char *out = begin;
    char *at = begin;
    if (*at == '"') {
        for (at++; *at && !(*at == '"' && at[1] != '"'); at++) {
            at += *at == '"';
            *out++ = *at;
        }
        at += *at == '"';
    }
    while (*at && *at != ',')
        *out++ = *at++;
    *at_p = *at ? at + 1 : NULL;
    *out = '\0';
    return begin;
}

static size_t split(char *line, char *fields[COLUMNS_MAX])
{
    size_t count = 0;
    while (line && count < COLUMNS_MAX)
        fields[count++] = take_field(&line);
    return count;
}

static char *next_line(char **text_p)
{
    char *line = *text_p;
    if (!*line)
        return NULL;
    size_t length = strcspn(line, "\n");
    *text_p = line[length] ? line + length + 1 : line + length;
    line[length] = '\0';
    line[strcspn(line, "\r")] = '\0';
    return line;
}

static void measure(const char *csv, size_t size_max, size_t widths[COLUMNS_MAX])
{
    AUTO_FREE char *copy = xstrndup(csv, size_max);
    char *rest = copy;
    for (char *line = next_line(&rest); line; line = next_line(&rest)) {
        char *fields[COLUMNS_MAX];
        size_t count = split(line, fields);
        for (size_t i = 0; i < count; i++) {
            size_t length = strlen(fields[i]);
            widths[i] = length > widths[i] ? length : widths[i];
        }
    }
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text; text += *text == '\n') {
        text += strcspn(text, "\n");
        count++;
    }
    return count;
}

char *table_render(const char *csv, size_t size_max)
{
    size_t widths[COLUMNS_MAX] = {0};
    measure(csv, size_max, widths);

    AUTO_FREE char *copy = xstrdup(csv);
    char *rest = copy;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    while ((size_t)ftell(out) < size_max) {
        char *line = next_line(&rest);
        if (!line)
            break;
        char *fields[COLUMNS_MAX];
        size_t count = split(line, fields);
        for (size_t i = 0; i < count; i++)
            fprintf(out, "%s%*s", i ? " " : "", (int)widths[i], fields[i]);
        fputc('\n', out);
    }
    size_t left = count_lines(rest);
    if (left)
        fprintf(out, "(%zu more rows; search in them with exec_shell.)\n", left);
    fclose(out);
    if (size && text[size - 1] == '\n')
        text[size - 1] = '\0';
    return mem_check(text);
}
