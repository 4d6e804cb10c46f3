/* exec_shell: a command in the agent's sandbox, which is inside the environment. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/orchestrator/action.h"
#include "services/orchestrator/session.h"

#include <ctype.h>

enum { TIMEOUT_S = 30, TIMEOUT_MAX_S = 600, GRACE_MS = 10000 };

static const action_parameter_t parameters[] = {
    {"command", PARAMETER_TEXT, false},
    {"timeout", PARAMETER_INTEGER, true},
    {0},
};

/* What would wait for a person; the original's refusals, to the letter. */
static const struct refusal {
    const char *part;
    const char *answer;
} refusals[] = {
    {"kubectl edit", "Error: Cannot use `kubectl edit`. Use `kubectl patch` instead."},
    {"edit svc", "Error: Cannot use `kubectl edit`. Use `kubectl patch` instead."},
    {"kubectl port-forward",
        "Error: Cannot use `kubectl port-forward` because it is an interactive command."},
    {"docker logs -f", "Error: Cannot use `docker logs -f`. Use `docker logs` instead."},
    {"kubectl logs -f", "Error: Cannot use `kubectl logs -f`. Use `kubectl logs` instead."},
};

/* With each run of blanks as one, so that two of them do not hide a word. */
static char *squeeze(const char *command)
{
    char *squeezed = xcalloc(1, strlen(command) + 1);
    char *out = squeezed;
    for (; *command; command++) {
        bool is_blank = isspace((unsigned char)*command);
        if (!is_blank)
            *out++ = *command;
        else if (out > squeezed && out[-1] != ' ')
            *out++ = ' ';
    }
    return squeezed;
}

static const char *refuse(const char *command)
{
    AUTO_FREE char *squeezed = squeeze(command);
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        if (strstr(squeezed, refusals[i].part))
            return refusals[i].answer;
    }
    return NULL;
}

static int64_t timeout_s(const step_t *step)
{
    int64_t seconds = step_integer(step, "timeout", TIMEOUT_S);
    return seconds < 1 ? 1 : seconds > TIMEOUT_MAX_S ? TIMEOUT_MAX_S : seconds;
}

static void on_executed(void *arg, const bus_reply_t *reply)
{
    step_t *step = arg;
    if (reply->err) {
        step_say(step, "Error: the command's end was not seen (%s); it may or may not have run.",
            reply->err->text);
        return;
    }
    const env_exec_result_t *result = reply->message;
    AUTO_FREE char *omitted =
        result->omitted_bytes
            ? xasprintf("\n(%lld bytes in the middle were left out; use grep, head or tail.)",
                (long long)result->omitted_bytes)
            : xstrdup("");
    if (result->timed_out) {
        step_say(step,
            "%s%s\nError: the command was stopped after %lld s. Give timeout=SECONDS (at most %d) "
            "for more.",
            result->output, omitted, (long long)timeout_s(step), TIMEOUT_MAX_S);
    } else if (result->exit_code != 0) {
        step_say(step, "[ERROR] Command execution failed (exit status %lld): %s%s",
            (long long)result->exit_code, result->output, omitted);
    } else {
        step_say(step, "%s%s", result->output, omitted);
    }
}

static void run(step_t *step)
{
    const char *command = step_text(step, "command");
    const char *answer = refuse(command);
    if (answer) {
        step_say(step, "%s", answer);
        return;
    }
    session_t *session = step->session;
    session->shell_count++;
    int64_t timeout_ms = timeout_s(step) * 1000;
    env_exec_t message = {.env = session->env,
        .command = command,
        .timeout_ms = timeout_ms,
        .output_limit = ACTION_OUTPUT_MAX};
    step_ask(step, session->cluster, &env_exec_type, &message, timeout_ms + GRACE_MS, on_executed);
}

const action_t action_exec_shell = {
    .name = "exec_shell",
    .doc = "exec_shell(command: str, timeout: int = 30) -> str\n"
           "Runs a command with bash in your shell inside the environment, where kubectl is set up "
           "for its cluster.\n"
           "Commands that wait for a person are refused: kubectl edit, kubectl port-forward, "
           "kubectl logs -f.\n"
           "Args:\n"
           "    command (str): the command, in quotes; several lines and pipes are fine.\n"
           "    timeout (int): after so many seconds it is stopped, 600 at most.\n"
           "Returns:\n"
           "    str: what the command printed.",
    .example = "exec_shell(\"kubectl get pods -n test-hotel-reservation\")",
    .parameters = parameters,
    .run = run,
};
