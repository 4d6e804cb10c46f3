/* metric_files - a history as the CSV files of the original's metrics export. */
#ifndef TELEMETRY_METRIC_FILES_H
#define TELEMETRY_METRIC_FILES_H

#include "services/telemetry/history.h"

#include <jansson.h>

/* An array of {path, text}: container/kpi_<metric>.csv, then app/… and load/… of the last minutes,
 * of the pods of a namespace (load: of the environment). Columns timestamp (s), cmdb_id, kpi_name,
 * value. */
json_t *metric_files(const history_t *history, const char *namespace, int64_t minutes);

#endif
