/* submit: the agent's last word, different for each task. */
#include "services/orchestrator/action.h"
#include "services/orchestrator/session.h"

static const action_parameter_t detection_parameters[] = {
    {"has_anomaly", PARAMETER_ANY, false},
    {0},
};

static const action_parameter_t localization_parameters[] = {
    {"faulty_components", PARAMETER_ANY, false},
    {0},
};

/* Nothing at all is an answer, too: nothing is wrong. */
static const action_parameter_t analysis_parameters[] = {
    {"analysis", PARAMETER_ANY, true},
    {0},
};

/* There is nothing to say about a mitigation, but who says something has submitted all the same. */
static const action_parameter_t mitigation_parameters[] = {
    {"solution", PARAMETER_ANY, true},
    {0},
};

static void run(step_t *step)
{
    session_t *session = step->session;
    json_t *solution = json_object_get(
        step->arguments, action_find(session->problem->task, "submit")->parameters->name);
    session->solution = solution ? json_incref(solution) : json_null();
    step_say(step, "Your submission was accepted; the session is over for you.");
}

#define SUBMIT_HEAD "Hands in your answer, which ends the session.\n"

const action_t action_submit_detection = {
    .name = "submit",
    .doc = "submit(has_anomaly: str) -> str\n" SUBMIT_HEAD "Args:\n"
           "    has_anomaly (str): \"Yes\" if something is wrong, \"No\" if nothing is.",
    .example = "submit(\"Yes\")",
    .parameters = detection_parameters,
    .run = run,
};

const action_t action_submit_localization = {
    .name = "submit",
    .doc = "submit(faulty_components: list[str]) -> str\n" SUBMIT_HEAD "Args:\n"
           "    faulty_components (list[str]): the names of the services that are the root cause; "
           "an empty list if nothing is wrong.",
    .example = "submit([\"frontend\"])",
    .parameters = localization_parameters,
    .run = run,
};

const action_t action_submit_analysis = {
    .name = "submit",
    .doc = "submit(analysis: dict[str, str]) -> str\n" SUBMIT_HEAD "Args:\n"
           "    analysis (dict[str, str]): {\"system_level\": …, \"fault_type\": …}, each one of "
           "the words in the task; nothing at all if nothing is wrong.",
    .example = "submit({\"system_level\": \"Hardware\", \"fault_type\": \"Operation Error\"})",
    .parameters = analysis_parameters,
    .run = run,
};

const action_t action_submit_mitigation = {
    .name = "submit",
    .doc = "submit() -> str\n" SUBMIT_HEAD "Then the application is measured.",
    .example = "submit()",
    .parameters = mitigation_parameters,
    .run = run,
};
