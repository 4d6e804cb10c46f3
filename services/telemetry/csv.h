/* csv - writing comma separated values as pandas does. */
#ifndef TELEMETRY_CSV_H
#define TELEMETRY_CSV_H

#include <stdio.h>

/* Writes text, in quotes if it holds a comma, a quote or a line's end. */
void csv_text(FILE *out, const char *text);

/* Writes a number rounded to 3 decimals, at least one of them shown: 12.0, 0.125; "" for none. */
void csv_number(FILE *out, double number);

#endif
