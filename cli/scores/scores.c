#include "cli/scores/scores.h"

#include "base/auto.h"
#include "base/mem.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { K_MAX = 5 };

/* ---- formulas ------------------------------------------------------------------------------ */

void scores_interval(size_t successes, size_t tries, double *low_p, double *high_p)
{
    static const double z = 1.959963984540054;
    if (tries == 0) {
        *low_p = 0;
        *high_p = 1;
        return;
    }
    double n = (double)tries;
    double p = (double)successes / n;
    double centre = p + z * z / (2 * n);
    double spread = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    double scale = 1 + z * z / n;
    *low_p = successes == 0 ? 0 : (centre - spread) / scale;
    *high_p = successes == tries ? 1 : (centre + spread) / scale;
}

/* C(a, k) / C(n, k) */
static double share(size_t a, size_t n, size_t k)
{
    double product = 1;
    for (size_t i = 0; i < k; i++)
        product *= a > i ? (double)(a - i) / (double)(n - i) : 0;
    return product;
}

double scores_pass_at(size_t n, size_t c, size_t k)
{
    return 1 - share(n - c, n, k);
}

double scores_pass_all(size_t n, size_t c, size_t k)
{
    return share(c, n, k);
}

/* ---- what guessing scores ------------------------------------------------------------------ */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Drawing each possible answer alike: two words; one of the application's services (18 of Hotel
 * Reservation, whatever the application); four levels and six types. A repair is not guessed. */
static double chance_of(const char *task)
{
    static const struct {
        const char *task;
        double chance;
    } chances[] = {{"detection", 1.0 / 2}, {"localization", 1.0 / 18}, {"analysis", 1.0 / 24}};
    for (size_t i = 0; i < ARRAY_SIZE(chances); i++) {
        if (strcmp(chances[i].task, task) == 0)
            return chances[i].chance;
    }
    return 0;
}

/* How often each answer was the right one: {answer: count}. */
static json_t *count_answers(const json_t *sessions)
{
    json_t *counts = json_object();
    size_t i;
    json_t *session;
    json_array_foreach((json_t *)sessions, i, session)
    {
        AUTO_FREE char *answer = json_dumps(
            json_object_get(session, "expected"), JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        json_int_t before = json_integer_value(json_object_get(counts, answer ? answer : ""));
        json_object_set_new(counts, answer ? answer : "", json_integer(before + 1));
    }
    return counts;
}

/* "Yes" to every detection; nothing is wrong, to all else. */
static double constant_of(const char *task, const json_t *counts, size_t tries)
{
    const char *answer = strcmp(task, "detection") == 0      ? "{\"anomaly\":\"Yes\"}"
                         : strcmp(task, "localization") == 0 ? "{\"components\":[]}"
                                                             : "";
    return (double)json_integer_value(json_object_get(counts, answer)) / (double)tries;
}

/* The answer that is right most often, to all. */
static double majority_of(const json_t *counts, size_t tries)
{
    json_int_t most = 0;
    const char *answer;
    json_t *count;
    json_object_foreach((json_t *)counts, answer, count)
    {
        if (json_integer_value(count) > most)
            most = json_integer_value(count);
    }
    return (double)most / (double)tries;
}

static void add_baselines(json_t *score, const char *task, const json_t *sessions)
{
    size_t tries = json_array_size(sessions);
    bool is_answer = strcmp(task, "mitigation") != 0;
    json_auto_t *counts = count_answers(sessions);
    json_object_set_new(score, "chance", json_real(chance_of(task)));
    json_object_set_new(
        score, "constant", json_real(is_answer && tries ? constant_of(task, counts, tries) : 0));
    json_object_set_new(
        score, "majority", json_real(is_answer && tries ? majority_of(counts, tries) : 0));
}

/* ---- scores -------------------------------------------------------------------------------- */

/* {problem: [tries, successes]} */
static json_t *by_problem(const json_t *sessions)
{
    json_t *problems = json_object();
    size_t i;
    json_t *session;
    json_array_foreach((json_t *)sessions, i, session)
    {
        const char *id = text_of(session, "problem_id");
        json_int_t n = 0;
        json_int_t c = 0;
        (void)json_unpack(json_object_get(problems, id), "[I, I]", &n, &c);
        c += json_is_true(json_object_get(session, "success"));
        json_object_set_new(problems, id, json_pack("[I, I]", n + 1, c));
    }
    return problems;
}

/* The mean over the problems that were tried at least k times; those tried less often say nothing
 * of k. */
static void add_passes(json_t *score, const json_t *sessions)
{
    json_auto_t *problems = by_problem(sessions);
    json_t *at = json_object();
    json_t *all = json_object();
    for (size_t k = 1; k <= K_MAX; k++) {
        double sum_at = 0;
        double sum_all = 0;
        size_t count = 0;
        const char *id;
        json_t *numbers;
        json_object_foreach(problems, id, numbers)
        {
            size_t n = (size_t)json_integer_value(json_array_get(numbers, 0));
            size_t c = (size_t)json_integer_value(json_array_get(numbers, 1));
            if (n < k)
                continue;
            count++;
            sum_at += scores_pass_at(n, c, k);
            sum_all += scores_pass_all(n, c, k);
        }
        char key[8];
        (void)snprintf(key, sizeof(key), "%zu", k);
        if (count) {
            json_object_set_new(at, key, json_real(sum_at / (double)count));
            json_object_set_new(all, key, json_real(sum_all / (double)count));
        }
    }
    json_object_set_new(score, "pass_at", at);
    json_object_set_new(score, "pass_all", all);
}

static json_t *score_of(const char *agent, const char *task, const json_t *group)
{
    json_auto_t *sessions = json_array();
    size_t successes = 0;
    size_t i;
    json_t *session;
    json_array_foreach((json_t *)group, i, session)
    {
        const json_t *success = json_object_get(session, "success");
        if (!json_is_boolean(success))
            continue;
        json_array_append(sessions, session);
        successes += json_is_true(success);
    }
    size_t tries = json_array_size(sessions);
    double low;
    double high;
    scores_interval(successes, tries, &low, &high);
    json_t *score = json_pack("{s:s, s:s, s:I, s:I, s:I, s:f, s:f, s:f}", "agent", agent, "task",
        task, "tries", (json_int_t)tries, "void", (json_int_t)(json_array_size(group) - tries),
        "successes", (json_int_t)successes, "rate", tries ? (double)successes / (double)tries : 0.0,
        "low", low, "high", high);
    add_passes(score, sessions);
    add_baselines(score, task, sessions);
    return score;
}

json_t *scores_of(const json_t *results)
{
    json_auto_t *groups = json_object(); /* agent and task, with a NUL-free separator between */
    size_t i;
    json_t *result;
    json_array_foreach((json_t *)results, i, result)
    {
        AUTO_FREE char *key =
            xasprintf("%s\n%s", text_of(result, "agent"), text_of(result, "task"));
        json_t *group = json_object_get(groups, key);
        if (!group) {
            group = json_array();
            json_object_set_new(groups, key, group);
        }
        json_array_append(group, result);
    }
    json_t *scores = json_array();
    const char *key;
    json_t *group;
    json_object_foreach(groups, key, group)
    {
        const char *task = strchr(key, '\n') + 1;
        AUTO_FREE char *agent = xstrndup(key, (size_t)(task - 1 - key));
        json_array_append_new(scores, score_of(agent, task, group));
    }
    return scores;
}
