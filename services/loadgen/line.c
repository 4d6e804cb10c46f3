#include "services/loadgen/line.h"

static bool is_sane(const load_report_t *report)
{
    return report->second >= 0 && report->sent >= 0 && report->ok >= 0 && report->errors >= 0
           && report->p50_ms >= 0 && report->p90_ms >= 0 && report->p99_ms >= 0
           && report->max_ms >= 0;
}

bool line_read(const char *line, load_report_t *report_p)
{
    if (line[0] != '{')
        return false;
    json_auto_t *json = json_loads(line, 0, NULL);
    json_int_t second = 0;
    json_int_t sent = 0;
    json_int_t ok = 0;
    json_int_t errors = 0;
    int is_final = 0;
    load_report_t report = *report_p;
    if (json_unpack(json, "{s:I, s:I, s:I, s:I, s:F, s:F, s:F, s:F, s:b}", "second", &second,
            "sent", &sent, "ok", &ok, "errors", &errors, "p50_ms", &report.p50_ms, "p90_ms",
            &report.p90_ms, "p99_ms", &report.p99_ms, "max_ms", &report.max_ms, "final", &is_final)
        < 0)
        return false;
    report.second = second;
    report.sent = sent;
    report.ok = ok;
    report.errors = errors;
    report.is_final = is_final;
    if (!is_sane(&report))
        return false;
    *report_p = report;
    return true;
}
