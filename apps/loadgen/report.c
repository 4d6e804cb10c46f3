#include "apps/loadgen/report.h"

#include "base/auto.h"

#include <stdbool.h>
#include <string.h>

static void clear(tally_t *tally)
{
    memset(tally, 0, sizeof(*tally));
}

void report_init(report_t *self)
{
    memset(self, 0, sizeof(*self));
}

void report_sent(report_t *self)
{
    self->second.sent++;
    self->all.sent++;
}

void report_ended(report_t *self, outcome_t outcome, uint64_t latency_us, size_t bytes)
{
    tally_t *tallies[] = {&self->second, &self->all};
    self->bytes += bytes;
    for (size_t i = 0; i < ARRAY_SIZE(tallies); i++) {
        tallies[i]->outcomes[outcome]++;
        if (outcome == OUTCOME_OK || outcome == OUTCOME_STATUS)
            histogram_note(&tallies[i]->latency_us, latency_us);
    }
}

static uint64_t error_count(const tally_t *tally)
{
    uint64_t count = 0;
    for (size_t i = 0; i < OUTCOME_COUNT; i++)
        count += i == OUTCOME_OK ? 0 : tally->outcomes[i];
    return count;
}

static double quantile_ms(const tally_t *tally, double share)
{
    return (double)histogram_quantile(&tally->latency_us, share) / 1000;
}

static void put_tally(FILE *out, uint64_t second, const tally_t *tally)
{
    fprintf(out,
        "{\"second\":%llu,\"sent\":%llu,\"ok\":%llu,\"errors\":%llu,\"p50_ms\":%.3f,\"p90_ms\":%."
        "3f,"
        "\"p99_ms\":%.3f,\"max_ms\":%.3f,",
        (unsigned long long)second, (unsigned long long)tally->sent,
        (unsigned long long)tally->outcomes[OUTCOME_OK], (unsigned long long)error_count(tally),
        quantile_ms(tally, 0.5), quantile_ms(tally, 0.9), quantile_ms(tally, 0.99),
        (double)tally->latency_us.max / 1000);
}

void report_second(report_t *self, FILE *out)
{
    put_tally(out, ++self->seconds, &self->second);
    fputs("\"final\":false}\n", out);
    fflush(out);
    clear(&self->second);
}

static void put_latencies(FILE *out, const tally_t *tally)
{
    static const double shares[] = {0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 0.99999, 1};
    fprintf(out, "  Latency     mean %.2fms  stdev %.2fms  max %.2fms\n",
        histogram_mean(&tally->latency_us) / 1000, histogram_deviation(&tally->latency_us) / 1000,
        (double)tally->latency_us.max / 1000);
    fputs("  Latency Distribution (from the intended time of sending)\n", out);
    for (size_t i = 0; i < ARRAY_SIZE(shares); i++)
        fprintf(out, "%8.3f%%  %9.2fms\n", shares[i] * 100, quantile_ms(tally, shares[i]));
}

static void put_errors(FILE *out, const tally_t *tally)
{
    const uint64_t *outcomes = tally->outcomes;
    uint64_t broken =
        outcomes[OUTCOME_CONNECT] + outcomes[OUTCOME_READ] + outcomes[OUTCOME_TIMEOUT];
    if (broken > 0)
        fprintf(out, "  Socket errors: connect %llu, read %llu, write 0, timeout %llu\n",
            (unsigned long long)outcomes[OUTCOME_CONNECT],
            (unsigned long long)outcomes[OUTCOME_READ],
            (unsigned long long)outcomes[OUTCOME_TIMEOUT]);
    if (outcomes[OUTCOME_STATUS] > 0)
        fprintf(out, "  Non-2xx or 3xx responses: %llu\n",
            (unsigned long long)outcomes[OUTCOME_STATUS]);
}

void report_final(const report_t *self, double seconds, uint64_t unsent, FILE *out)
{
    const tally_t *all = &self->all;
    put_latencies(out, all);
    fputs("----------------------------------------------------------\n", out);
    fprintf(out, "  %llu requests in %.2fs, %.2fKB read\n",
        (unsigned long long)all->latency_us.count, seconds, (double)self->bytes / 1024);
    put_errors(out, all);
    fprintf(
        out, "Requests/sec: %10.2f\n", seconds > 0 ? (double)all->latency_us.count / seconds : 0);
    fprintf(
        out, "Transfer/sec: %10.2fKB\n", seconds > 0 ? (double)self->bytes / 1024 / seconds : 0);
    put_tally(out, self->seconds, all);
    fprintf(out, "\"unsent\":%llu,\"duration_s\":%.3f,\"final\":true}\n",
        (unsigned long long)unsent, seconds);
    fflush(out);
}
