/* recover: the end of faults by hand. */
#include "cli/command.h"
#include "cli/lab.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/nearest.h"

#include <stdio.h>
#include <string.h>

enum { LIST_MS = 30000, RECOVER_MS = 300000 };

typedef struct options {
    const char *id; /* NULL: none given */
    const char *env;
    bool is_all;
} options_t;

static const struct argp_option option_table[] = {
    {"all", 'a', NULL, 0, "All faults of the environment, the last one first", 0},
    {"env", 'e', "ENV", 0, "The environment's id", 0},
    {0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    options_t *options = state->input;
    switch (key) {
    case 'a':
        options->is_all = true;
        return 0;
    case 'e':
        options->env = value;
        return 0;
    case ARGP_KEY_ARG:
        if (options->id) {
            argp_error(state, "unexpected argument '%s'", value);
            return EINVAL;
        }
        options->id = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool is_over(const json_t *fault)
{
    return strcmp(json_string_value(json_object_get(fault, "state")), "recovered") == 0;
}

/* What did not end as recovered is told. */
static bool recover(lab_t *lab, const char *id, err_t *err)
{
    fault_status_t *status = NULL;
    fault_recover_t message = {.fault_id = id};
    bus_call_t call = {.target = "injector",
        .type = &fault_recover_type,
        .message = &message,
        .timeout_ms = RECOVER_MS};
    if (lab_call(lab, &call, &fault_status_type, (void **)&status, err) < 0)
        return false;
    bool is_good = strcmp(status->state, "recovered") == 0;
    if (is_good)
        printf("%s recovered\n", id);
    else
        (void)err_set(err, ERR_STATE, "%s is '%s': %s", id, status->state,
            status->reason ? status->reason : "");
    codec_free(&fault_status_type, status);
    return is_good;
}

static int recover_all(lab_t *lab, const json_t *faults)
{
    int status = EXIT_DONE;
    for (size_t i = json_array_size(faults); i > 0; i--) {
        const json_t *fault = json_array_get(faults, i - 1);
        err_t err = {0};
        if (!is_over(fault)
            && !recover(lab, json_string_value(json_object_get(fault, "fault_id")), &err)) {
            (void)command_fail(&err); /* whatever the code, the others are tried */
            status = EXIT_WRONG;
        }
    }
    return status;
}

static int recover_one(lab_t *lab, const json_t *faults, const char *id)
{
    size_t count = json_array_size(faults);
    AUTO_FREE const char **ids = xcalloc(count + 1, sizeof(*ids));
    err_t err = {0};
    for (size_t i = 0; i < count; i++) {
        ids[i] = json_string_value(json_object_get(json_array_get(faults, i), "fault_id"));
        if (ids[i] && strcmp(ids[i], id) == 0)
            return recover(lab, id, &err) ? EXIT_DONE : command_fail(&err);
    }
    return command_unknown("fault", id, ids, count, "'aiopslab recover --all' ends all that are");
}

static int execute(const options_t *options)
{
    err_t err = {0};
    if (!options->is_all == !options->id)
        (void)err_set(&err, ERR_INVALID,
            "recover which? the id that 'aiopslab inject' printed, or "
            "--all");
    else if (options->is_all && !options->env)
        (void)err_set(
            &err, ERR_INVALID, "in which environment? --env ENV; 'aiopslab env list' lists them");
    if (err.code)
        return command_fail(&err);
    AUTO(lab_destroy) lab_t *lab = lab_open(LAB_RUNNING, &err);
    fault_listing_t *listing = NULL;
    fault_list_t message = {.env = options->env};
    bus_call_t call = {
        .target = "injector", .type = &fault_list_type, .message = &message, .timeout_ms = LIST_MS};
    if (!lab || lab_call(lab, &call, &fault_listing_type, (void **)&listing, &err) < 0)
        return command_fail(&err);
    int status = options->id ? recover_one(lab, listing->faults, options->id)
                             : recover_all(lab, listing->faults);
    codec_free(&fault_listing_type, listing);
    return status;
}

static int run(int argc, char **argv)
{
    static const struct argp parser = {option_table, parse_option, "ID|--all",
        "Undoes exactly what a fault changed.", NULL, NULL, NULL};
    options_t options = {0};
    int status;
    return command_parse(&parser, argc, argv, &options, &status) ? execute(&options) : status;
}

const command_t command_recover = {
    .name = "recover", .summary = "undo what a fault changed", .run = run};
