/* line - what the load worker says: a line of its log to a report. */
#ifndef LOADGEN_LINE_H
#define LOADGEN_LINE_H

#include "proto/messages.h"

/* Reads {"second": 7, "sent": 100, ...} into the numbers of *report_p; load, env and reason are
 * left alone. False if the line is something else, such as a part of the worker's summary for
 * people. */
bool line_read(const char *line, load_report_t *report_p);

#endif
