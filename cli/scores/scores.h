/* scores - what results say together: how often an agent was right, how sure that is, and what
 * guessing would have scored. docs/scoring.md has the formulas. */
#ifndef CLI_SCORES_SCORES_H
#define CLI_SCORES_SCORES_H

#include <jansson.h>
#include <stddef.h>

/* Wilson's interval for k of n at 95 %, https://doi.org/10.1080/01621459.1927.10502953 */
void scores_interval(size_t successes, size_t tries, double *low_p, double *high_p);

/* The chance that at least one of k tries, drawn from n of which c were right, is right (pass@k,
 * arXiv 2107.03374); and that all k are (pass^k, arXiv 2406.12045). k is at most n. */
double scores_pass_at(size_t n, size_t c, size_t k);
double scores_pass_all(size_t n, size_t c, size_t k);

/* results: an array of results of sessions, as they are written to files. Those without a verdict
 * are counted as void and for nothing else. An array of {agent, task, tries, void, successes, rate,
 * low, high, pass_at: {k: p}, pass_all: {k: p}, chance, constant, majority}; a new reference. */
json_t *scores_of(const json_t *results);

#endif
