#include "services/telemetry/csv.h"

#include <math.h>
#include <string.h>

void csv_text(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void csv_number(FILE *out, double number)
{
    char text[400]; /* the largest double has 309 digits before the point */
    if (!isfinite(number)) {
        fputs(isnan(number) ? "" : number > 0 ? "inf" : "-inf", out);
        return;
    }
    int length = snprintf(text, sizeof(text), "%.3f", number);
    while (length > 2 && text[length - 1] == '0' && text[length - 2] != '.')
        text[--length] = '\0';
    fputs(text, out);
}
