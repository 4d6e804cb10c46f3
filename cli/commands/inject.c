/* inject: a fault by hand, without a problem. */
#include "cli/command.h"
#include "cli/lab.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/number.h"
#include "faults/catalogue.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ENV_MS = 30000, INJECT_MS = 300000, TARGETS_MAX = 64 };

static const char doc[] = "Puts a fault in force in an environment, and prints its id for "
                          "'aiopslab recover'.\v"
                          "'aiopslab faults' lists the faults, 'aiopslab faults NAME' shows one "
                          "with its parameters.\n\n"
                          "A target is a name, label:KEY=VALUE, role:ROLE, or one of those by the "
                          "seed: random, random:label:KEY=VALUE, random:role:ROLE.\n"
                          "Times are numbers with ms, s, m or h, such as 30s.";

typedef struct options {
    const char *fault;
    const char *env;
    const char *namespace; /* NULL: the application's */
    char *targets[TARGETS_MAX];
    size_t target_count;
    json_t *parameters;
    int64_t seed, after_ms, for_ms, every_ms, times, ramp_ms;
} options_t;

enum { KEY_AFTER = 0x100, KEY_FOR, KEY_EVERY, KEY_TIMES, KEY_RAMP };

static const struct argp_option option_table[] = {
    {"env", 'e', "ENV", 0, "The environment's id; 'aiopslab env list' lists them", 0},
    {"target", 't', "TARGET", 0, "What it strikes; may be given more than once", 0},
    {"param", 'p', "NAME=VALUE", 0, "A parameter; may be given more than once", 0},
    {"namespace", 'n', "NAME", 0, "The targets' namespace (the application's)", 0},
    {"seed", 's', "NUMBER", 0, "For what is random (0)", 0},
    {"after", KEY_AFTER, "TIME", 0, "Not at once, but after so long", 1},
    {"for", KEY_FOR, "TIME", 0, "Recover after so long", 1},
    {"every", KEY_EVERY, "TIME", 0, "With --for and --times: from one start to the next", 1},
    {"times", KEY_TIMES, "NUMBER", 0, "How often", 1},
    {"ramp", KEY_RAMP, "TIME", 0, "Strike the targets one after the other over so long", 1},
    {0},
};

/* "30s" as milliseconds; false if it is none. */
static bool parse_time(const char *text, int64_t *time_p)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    size_t digits = strspn(text, "0123456789");
    AUTO_FREE char *number = strndup(text, digits);
    int64_t count;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        if (strcmp(text + digits, units[i].unit) != 0 || !number_parse(number, 1, 86400000, &count))
            continue;
        *time_p = count * units[i].ms;
        return true;
    }
    return false;
}

static error_t add_parameter(options_t *options, char *text, struct argp_state *state)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text) {
        argp_error(state, "a parameter is given as NAME=VALUE, not '%s'", text);
        return EINVAL;
    }
    AUTO_FREE char *name = strndup(text, (size_t)(equals - text));
    json_object_set_new(options->parameters, name, json_string(equals + 1));
    return 0;
}

static error_t add_target(options_t *options, char *text, struct argp_state *state)
{
    if (options->target_count == TARGETS_MAX) {
        argp_error(state, "more than %d targets", TARGETS_MAX);
        return EINVAL;
    }
    options->targets[options->target_count++] = text;
    return 0;
}

static error_t parse_when(options_t *options, int key, char *value, struct argp_state *state)
{
    int64_t *times[] = {[0] = &options->after_ms,
        [KEY_FOR - KEY_AFTER] = &options->for_ms,
        [KEY_EVERY - KEY_AFTER] = &options->every_ms,
        [KEY_RAMP - KEY_AFTER] = &options->ramp_ms};
    bool is_good = key == KEY_TIMES ? number_parse(value, 1, 1000000, &options->times)
                                    : parse_time(value, times[key - KEY_AFTER]);
    if (is_good)
        return 0;
    argp_error(state,
        key == KEY_TIMES ? "'%s' is no number from 1 on" : "'%s' is no time, such as 500ms or 30s",
        value);
    return EINVAL;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    options_t *options = state->input;
    switch (key) {
    case 'e':
        options->env = value;
        return 0;
    case 't':
        return add_target(options, value, state);
    case 'p':
        return add_parameter(options, value, state);
    case 'n':
        options->namespace = value;
        return 0;
    case 's':
        if (number_parse(value, 0, INT64_MAX, &options->seed))
            return 0;
        argp_error(state, "the seed must be a number");
        return EINVAL;
    case KEY_AFTER:
    case KEY_FOR:
    case KEY_EVERY:
    case KEY_TIMES:
    case KEY_RAMP:
        return parse_when(options, key, value, state);
    case ARGP_KEY_ARG:
        if (!options->fault) {
            options->fault = value;
            return 0;
        }
        argp_error(state, "unexpected argument '%s'", value);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int check(const options_t *options, err_t *err)
{
    if (!options->fault)
        return err_set(err, ERR_INVALID, "which fault? 'aiopslab faults' lists them");
    const fault_spec_t *spec = fault_spec_find(options->fault, err);
    if (!spec)
        return -ERR_NOT_FOUND;
    if (!options->env)
        return err_set(
            err, ERR_INVALID, "in which environment? --env ENV; 'aiopslab env list' lists them");
    return fault_spec_check(spec, (const char *const *)options->targets, options->target_count,
        options->parameters, err);
}

static int inject(lab_t *lab, const options_t *options, const char *namespace,
    fault_status_t **status_p, err_t *err)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
    AUTO_FREE char *id = xasprintf("%s-%llx", options->fault,
        (unsigned long long)now.tv_sec * 1000 + (unsigned long long)now.tv_nsec / 1000000);
    fault_inject_t message = {.fault_id = id,
        .fault = options->fault,
        .env = options->env,
        .namespace = namespace,
        .targets = {.items = (char **)options->targets, .count = options->target_count},
        .params = options->parameters,
        .seed = options->seed,
        .after_ms = options->after_ms,
        .for_ms = options->for_ms,
        .every_ms = options->every_ms,
        .times = options->times,
        .ramp_ms = options->ramp_ms};
    bus_call_t call = {.target = "injector",
        .type = &fault_inject_type,
        .message = &message,
        .timeout_ms = INJECT_MS + options->ramp_ms};
    return lab_call(lab, &call, &fault_status_type, (void **)status_p, err);
}

/* The application's namespace, for free(). */
static int namespace_of(lab_t *lab, const char *env, char **namespace_p, err_t *err)
{
    env_info_t *info = NULL;
    env_get_t message = {.env = env};
    bus_call_t call = {
        .target = "cluster", .type = &env_get_type, .message = &message, .timeout_ms = ENV_MS};
    int rc = lab_call(lab, &call, &env_info_type, (void **)&info, err);
    if (rc < 0)
        return rc;
    *namespace_p = xstrdup(*info->namespace ? info->namespace : "default");
    codec_free(&env_info_type, info);
    return 0;
}

static int print(const fault_status_t *status)
{
    bool is_good = strcmp(status->state, "active") == 0 || strcmp(status->state, "scheduled") == 0;
    if (is_good)
        puts(status->fault_id);
    else
        fprintf(stderr, "aiopslab: the fault is '%s'%s%s\n", status->state,
            status->reason ? ": " : "", status->reason ? status->reason : "");
    return is_good ? EXIT_DONE : EXIT_WRONG;
}

static int execute(const options_t *options)
{
    err_t err = {0};
    if (check(options, &err) < 0)
        return command_fail(&err);
    AUTO(lab_destroy) lab_t *lab = lab_open(LAB_RUNNING, &err);
    AUTO_FREE char *namespace = NULL;
    fault_status_t *status = NULL;
    if (!lab || namespace_of(lab, options->env, &namespace, &err) < 0
        || inject(lab, options, options->namespace ? options->namespace : namespace, &status, &err)
               < 0)
        return command_fail(&err);
    int rc = print(status);
    codec_free(&fault_status_type, status);
    return rc;
}

static int run(int argc, char **argv)
{
    static const struct argp parser = {option_table, parse_option, "FAULT", doc, NULL, NULL, NULL};
    options_t options = {.parameters = json_object()};
    int status;
    if (command_parse(&parser, argc, argv, &options, &status))
        status = execute(&options);
    json_decref(options.parameters);
    return status;
}

const command_t command_inject = {
    .name = "inject", .summary = "put a fault in force by hand", .run = run};
