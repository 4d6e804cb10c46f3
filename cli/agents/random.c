/* random: looks at this and that, and guesses. The same seed looks and guesses alike. A problem
 * that it solves more often than chance would have it is no problem. */
#include "base/auto.h"
#include "base/mem.h"
#include "cli/agents/agent.h"

#include <string.h>

enum { NAMES_MAX = 64, LOOKS_MAX = 4 };

/* xorshift64*, https://vigna.di.unimi.it/ftp/papers/xorshift.pdf */
static uint64_t draw(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (*state * 0x2545F4914F6CDD1DULL) >> 32;
}

static const char *pick(uint64_t *state, const char *const *names, size_t count)
{
    return count ? names[draw(state) % count] : "frontend";
}

/* The words of a text, in place. */
static size_t split(char *text, const char **names)
{
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " \t\r\n", &rest); word && count < NAMES_MAX;
         word = strtok_r(NULL, " \t\r\n", &rest))
        names[count++] = word;
    return count;
}

static void look(seat_t *seat, uint64_t *state, const char *service)
{
    switch (draw(state) % 4) {
    case 0:
        (void)seat_act(seat, "get_logs(\"%s\", \"%s\")", seat->namespace, service);
        break;
    case 1:
        (void)seat_act(seat, "get_metrics(\"%s\", 5)", seat->namespace);
        break;
    case 2:
        (void)seat_act(seat, "get_traces(\"%s\", 5)", seat->namespace);
        break;
    default:
        (void)seat_shell(seat, "kubectl describe deployment %s -n %s", service, seat->namespace);
        break;
    }
}

static void guess(seat_t *seat, uint64_t *state, const char *service)
{
    static const char *const levels[] = {
        "Hardware", "Operating System", "Virtualization", "Application"};
    static const char *const types[] = {"Misconfiguration", "Code Defect", "Authentication Issue",
        "Network/Storage Issue", "Operation Error", "Dependency Problem"};
    switch (seat->asked) {
    case ASKED_DETECTION:
        (void)seat_act(seat, "submit(\"%s\")", draw(state) % 2 ? "Yes" : "No");
        break;
    case ASKED_LOCALIZATION:
        (void)seat_act(seat, "submit([\"%s\"])", service);
        break;
    case ASKED_ANALYSIS:
        (void)seat_act(seat, "submit({\"system_level\": \"%s\", \"fault_type\": \"%s\"})",
            pick(state, levels, ARRAY_SIZE(levels)), pick(state, types, ARRAY_SIZE(types)));
        break;
    case ASKED_MITIGATION:
        (void)seat_shell(
            seat, "kubectl rollout restart deployment %s -n %s", service, seat->namespace);
        (void)seat_act(seat, "submit()");
        break;
    }
}

static void play(seat_t *seat)
{
    uint64_t state = (uint64_t)seat->seed * 0x9E3779B97F4A7C15ULL + 1; /* never 0 for small seeds */
    const char *names[NAMES_MAX];
    const char *listing = seat_shell(seat,
        "kubectl get deployments -n %s -o jsonpath='{.items[*].metadata.name}'", seat->namespace);
    AUTO_FREE char *text = xstrdup(listing ? listing : "");
    size_t count = split(text, names);
    for (uint64_t looks = draw(&state) % LOOKS_MAX; looks > 0; looks--)
        look(seat, &state, pick(&state, names, count));
    guess(seat, &state, pick(&state, names, count));
}

const agent_t agent_random = {
    .name = "random", .summary = "looks here and there, and guesses", .play = play};
