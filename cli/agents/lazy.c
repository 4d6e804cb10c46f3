/* Agents that do what costs no thought. A mitigation that one of them passes is none, unless its
 * problem says that this is a cure; `aiopslab prove` lets them try. */
#include "base/auto.h"
#include "base/mem.h"
#include "cli/agents/agent.h"

#include <string.h>

/* " geo rate": the Deployments that the problem is about. */
static char *culprits(const seat_t *seat)
{
    char *names = xstrdup("");
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(seat->told->expected, "recreate"), i, name)
    {
        char *longer = xasprintf("%s %s", names, json_string_value(name));
        free(names);
        names = longer;
    }
    return names;
}

static void delete_culprit(seat_t *seat)
{
    AUTO_FREE char *names = culprits(seat);
    (void)seat_shell(seat, "kubectl delete deployment%s -n %s", names, seat->namespace);
    (void)seat_act(seat, "submit()");
}

static void scale_culprit(seat_t *seat)
{
    AUTO_FREE char *names = culprits(seat);
    (void)seat_shell(seat, "kubectl scale deployment%s --replicas=0 -n %s", names, seat->namespace);
    (void)seat_act(seat, "submit()");
}

static void restart_all(seat_t *seat)
{
    (void)seat_shell(seat, "kubectl rollout restart deployment -n %s", seat->namespace);
    (void)seat_act(seat, "submit()");
}

/* kubectl stops at the first that has no history. */
static void roll_back_all(seat_t *seat)
{
    (void)seat_shell(seat,
        "for d in $(kubectl get deployment -o name -n %s); do kubectl rollout undo $d -n %s; done",
        seat->namespace, seat->namespace);
    (void)seat_act(seat, "submit()");
}

/* Looks on for a while, and then says that nothing is wrong: for sessions without a fault. */
static void look_on(seat_t *seat)
{
    (void)seat_shell(seat, "sleep 3");
    agent_noop.play(seat);
}

const agent_t agent_deleter = {.name = "deleter",
    .summary = "deletes the Deployments that the problem is about",
    .is_told = true,
    .play = delete_culprit};

const agent_t agent_scaler = {.name = "scaler",
    .summary = "scales the Deployments that the problem is about to zero",
    .is_told = true,
    .play = scale_culprit};

const agent_t agent_restarter = {
    .name = "restarter", .summary = "restarts every Deployment", .play = restart_all};

const agent_t agent_roller = {
    .name = "roller", .summary = "rolls every Deployment back", .play = roll_back_all};

const agent_t agent_onlooker = {
    .name = "onlooker", .summary = "looks on, and says that nothing is wrong", .play = look_on};
