/* table - CSV as a table of right-aligned columns, as data frames are printed. */
#ifndef ORCHESTRATOR_TABLE_H
#define ORCHESTRATOR_TABLE_H

#include <stddef.h>

/* Renders at most about size_max bytes; says how many rows were left out. New memory, for free().
 * Quoted fields may hold commas and quotes; line ends within fields are not kept. */
char *table_render(const char *csv, size_t size_max);

#endif
