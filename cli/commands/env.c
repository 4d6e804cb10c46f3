/* env: environments by hand, without a problem. */
#include "cli/command.h"
#include "cli/guest.h"
#include "cli/lab.h"

#include "base/auto.h"
#include "base/base64.h"
#include "base/mem.h"
#include "base/number.h"

#include <stdio.h>
#include <string.h>

enum { CREATE_MS = 300000, CALL_MS = 30000 };

static const char doc[] =
    "Makes, shows and ends environments of the system that runs ('aiopslab up'), and enters them.\v"
    "  create APP|--empty   makes one, deploys the application, prints its id\n"
    "  list                 lists them\n"
    "  kubeconfig ENV       prints a kubeconfig for it, to be put into a file\n"
    "  exec ENV -- COMMAND  runs a command in the sandbox of its agent, with these streams\n"
    "  shell ENV            a shell there\n"
    "  delete ENV           ends it\n\n"
    "The sandbox is what an agent has: an ordinary user with kubectl, the environment's network "
    "and "
    "nothing of this machine. 'exec' and 'shell' end with the status of what ran.";

typedef struct options {
    char **words; /* borrowed from argv */
    size_t count;
    int64_t nodes; /* 0: as many as usual */
    bool is_empty;
    bool is_json;
} options_t;

static const struct argp_option option_table[] = {
    {"empty", 'e', NULL, 0, "create: a cluster without an application", 0},
    {"nodes", 'n', "N", 0, "create: how many nodes it has (3)", 0},
    {"json", 'j', NULL, 0, "create, list: as JSON", 0},
    {0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    options_t *options = state->input;
    switch (key) {
    case 'e':
        options->is_empty = true;
        return 0;
    case 'n':
        if (!number_parse(value, 1, INT32_MAX, &options->nodes))
            argp_error(state, "--nodes must be a number from 1 on, not '%s'", value);
        return 0;
    case 'j':
        options->is_json = true;
        return 0;
    case ARGP_KEY_ARGS:
        options->words = state->argv + state->next;
        options->count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "create, list, kubeconfig, exec, shell or delete?");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int ask(lab_t *lab, const codec_type_t *type, const void *message,
    const codec_type_t *expected, void **reply_p, err_t *err)
{
    bus_call_t call = {.target = "cluster",
        .type = type,
        .message = message,
        .timeout_ms = type == &env_create_type ? CREATE_MS : CALL_MS};
    return lab_call(lab, &call, expected, reply_p, err);
}

static void print_json(json_t *owned)
{
    json_dumpf(owned, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(owned);
}

/* Without what opens its doors: that is in the kubeconfig. */
static json_t *json_of(const env_info_t *info)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s*, s:O*, s:O*}", "env", info->env, "state",
        info->state, "app", info->app, "namespace", info->namespace, "server", info->server,
        "features", info->features, "phases", info->phases);
}

static int create(lab_t *lab, const options_t *options, err_t *err)
{
    void *reply = NULL;
    env_create_t message = {
        .app = options->is_empty ? "" : options->words[1], .nodes = options->nodes};
    int rc = ask(lab, &env_create_type, &message, &env_info_type, &reply, err);
    if (rc < 0)
        return rc;
    if (options->is_json)
        print_json(json_of(reply));
    else
        puts(((env_info_t *)reply)->env);
    codec_free(&env_info_type, reply);
    return EXIT_DONE;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && *text ? text : "-";
}

static void print_envs(const json_t *envs)
{
    size_t i;
    json_t *env;
    printf("%-14s %-9s %-20s %-24s %7s  %s\n", "ENV", "STATE", "APPLICATION", "NAMESPACE", "AGE",
        "SESSION");
    json_array_foreach(envs, i, env) printf("%-14s %-9s %-20s %-24s %6llds  %s\n",
        text_of(env, "env"), text_of(env, "state"), text_of(env, "app"), text_of(env, "namespace"),
        (long long)json_integer_value(json_object_get(env, "age_ms")) / 1000,
        text_of(env, "session"));
}

static int list(lab_t *lab, const options_t *options, err_t *err)
{
    void *reply = NULL;
    int rc = ask(lab, &env_list_type, &(env_list_t){}, &env_listing_type, &reply, err);
    if (rc < 0)
        return rc;
    const json_t *envs = ((env_listing_t *)reply)->envs;
    if (options->is_json)
        print_json(json_incref((json_t *)envs));
    else
        print_envs(envs);
    codec_free(&env_listing_type, reply);
    return 0;
}

static void print_kubeconfig(const env_info_t *info)
{
    const char *plain = info->ca ? info->ca : "";
    AUTO_FREE char *ca = base64_encode(plain, strlen(plain));
    printf("apiVersion: v1\n"
           "kind: Config\n"
           "clusters:\n"
           "- {name: %s, cluster: {server: '%s', certificate-authority-data: %s}}\n"
           "users:\n"
           "- {name: operator, user: {token: %s}}\n"
           "contexts:\n"
           "- {name: %s, context: {cluster: %s, user: operator, namespace: '%s'}}\n"
           "current-context: %s\n",
        info->env, info->server ? info->server : "", ca, info->token ? info->token : "", info->env,
        info->env, *info->namespace ? info->namespace : "default", info->env);
}

static int kubeconfig(lab_t *lab, const options_t *options, err_t *err)
{
    void *reply = NULL;
    env_get_t message = {.env = options->words[1]};
    int rc = ask(lab, &env_get_type, &message, &env_info_type, &reply, err);
    if (rc < 0)
        return rc;
    print_kubeconfig(reply);
    codec_free(&env_info_type, reply);
    return 0;
}

/* At a terminal only for a shell: a command's errors stay apart. */
static int enter(lab_t *lab, const options_t *options, char *const *argv, err_t *err)
{
    void *reply = NULL;
    env_get_t message = {.env = options->words[1]};
    int rc = ask(lab, &env_get_type, &message, &env_info_type, &reply, err);
    if (rc < 0)
        return rc;
    const env_info_t *info = reply;
    rc = info->shell && strcmp(info->state, "ready") == 0
             ? guest_run(info->shell, argv, argv != options->words + 2, err)
             : err_set(err, ERR_STATE, "environment '%s' is %s", info->env, info->state);
    codec_free(&env_info_type, reply);
    return rc;
}

static int exec(lab_t *lab, const options_t *options, err_t *err)
{
    return enter(lab, options, options->words + 2, err);
}

static int shell(lab_t *lab, const options_t *options, err_t *err)
{
    static char *const argv[] = {(char *)"/usr/bin/bash", NULL};
    return enter(lab, options, argv, err);
}

/* To delete what is not there is no mistake of a program; it is one of a person. */
static int delete_env(lab_t *lab, const options_t *options, err_t *err)
{
    env_get_t look = {.env = options->words[1]};
    env_delete_t message = {.env = options->words[1]};
    int rc = ask(lab, &env_get_type, &look, &env_info_type, NULL, err);
    return rc < 0 ? rc : ask(lab, &env_delete_type, &message, &ok_type, NULL, err);
}

static const char an_id[] = "the id of an environment; 'aiopslab env list' lists them";

static const struct verb {
    const char *name;
    const char *needs;  /* behind it, for a sentence; NULL: nothing */
    size_t least, most; /* words, with its own */
    int (*run)(lab_t *lab, const options_t *options, err_t *err); /* returns the exit status */
} verbs[] = {
    {"create", "the name of an application, or --empty", 2, 2, create},
    {"delete", an_id, 2, 2, delete_env},
    {"exec", "the id of an environment and, after '--', a command", 3, SIZE_MAX, exec},
    {"kubeconfig", an_id, 2, 2, kubeconfig},
    {"list", NULL, 1, 1, list},
    {"shell", an_id, 2, 2, shell},
};

static int perform(const struct verb *verb, const options_t *options)
{
    err_t err = {0};
    size_t fewer = verb->run == create && options->is_empty ? 1 : 0;
    if (options->count < verb->least - fewer)
        fprintf(stderr, "aiopslab: 'env %s' needs %s\n", verb->name, verb->needs);
    if (options->count > verb->most - fewer)
        fprintf(stderr, "aiopslab: 'env %s' takes nothing more\n", verb->name);
    if (options->count < verb->least - fewer || options->count > verb->most - fewer)
        return EXIT_USAGE;
    AUTO(lab_destroy) lab_t *lab = lab_open(LAB_RUNNING, &err);
    int rc = lab ? verb->run(lab, options, &err) : -1;
    return rc < 0 ? command_fail(&err) : rc;
}

static int dispatch(const options_t *options)
{
    const char *names[ARRAY_SIZE(verbs)];
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        names[i] = verbs[i].name;
        if (strcmp(verbs[i].name, options->words[0]) == 0)
            return perform(&verbs[i], options);
    }
    return command_unknown("env command", options->words[0], names, ARRAY_SIZE(verbs),
        "'aiopslab env --help' lists them");
}

static int run(int argc, char **argv)
{
    static const struct argp parser = {option_table, parse_option,
        "create|list|kubeconfig|exec|shell|delete [WORD...]", doc, NULL, NULL, NULL};
    options_t options = {0};
    int status;
    if (!command_parse(&parser, argc, argv, &options, &status))
        return status;
    return dispatch(&options);
}

const command_t command_env = {
    .name = "env", .summary = "make, show, enter and end environments by hand", .run = run};
