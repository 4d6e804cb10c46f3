/* env: environments by hand, without a problem. */
#include "cli/command.h"
#include "cli/lab.h"

#include "base/auto.h"
#include "base/base64.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum { CREATE_MS = 300000, CALL_MS = 30000 };

static const char doc[] =
    "Makes, shows and ends environments of the system that runs ('aiopslab up').\v"
    "  create APP|--empty   makes one, deploys the application, prints its id\n"
    "  list                 lists them\n"
    "  kubeconfig ENV       prints a kubeconfig for it, to be put into a file\n"
    "  delete ENV           ends it";

typedef struct options {
    char **words; /* borrowed from argv */
    size_t count;
    bool is_empty;
    bool is_json;
} options_t;

static const struct argp_option option_table[] = {
    {"empty", 'e', NULL, 0, "create: a cluster without an application", 0},
    {"json", 'j', NULL, 0, "list: as JSON", 0},
    {0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    options_t *options = state->input;
    (void)value;
    switch (key) {
    case 'e':
        options->is_empty = true;
        return 0;
    case 'j':
        options->is_json = true;
        return 0;
    case ARGP_KEY_ARGS:
        options->words = state->argv + state->next;
        options->count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "create, list, kubeconfig or delete?");
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

static int create(lab_t *lab, const options_t *options, err_t *err)
{
    void *reply = NULL;
    env_create_t message = {.app = options->is_empty ? "" : options->words[1]};
    int rc = ask(lab, &env_create_type, &message, &env_info_type, &reply, err);
    if (rc < 0)
        return rc;
    puts(((env_info_t *)reply)->env);
    codec_free(&env_info_type, reply);
    return 0;
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
    if (options->is_json) {
        json_dumpf(envs, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print_envs(envs);
    }
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

/* To delete what is not there is no mistake of a program; it is one of a person. */
static int delete_env(lab_t *lab, const options_t *options, err_t *err)
{
    env_get_t look = {.env = options->words[1]};
    env_delete_t message = {.env = options->words[1]};
    int rc = ask(lab, &env_get_type, &look, &env_info_type, NULL, err);
    return rc < 0 ? rc : ask(lab, &env_delete_type, &message, &ok_type, NULL, err);
}

static const struct verb {
    const char *name;
    const char *needs; /* a word for what; NULL: nothing */
    int (*run)(lab_t *lab, const options_t *options, err_t *err);
} verbs[] = {
    {"create", "the name of an application, or --empty", create},
    {"delete", "the id of an environment; 'aiopslab env list' lists them", delete_env},
    {"kubeconfig", "the id of an environment; 'aiopslab env list' lists them", kubeconfig},
    {"list", NULL, list},
};

static int dispatch(const options_t *options)
{
    const char *names[ARRAY_SIZE(verbs)];
    err_t err = {0};
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        names[i] = verbs[i].name;
        if (strcmp(verbs[i].name, options->words[0]) != 0)
            continue;
        size_t wanted = verbs[i].needs && !options->is_empty ? 2 : 1;
        if (options->count < wanted)
            fprintf(stderr, "aiopslab: 'env %s' needs %s\n", verbs[i].name, verbs[i].needs);
        if (options->count > wanted)
            fprintf(stderr, "aiopslab: 'env %s' takes nothing more\n", verbs[i].name);
        if (options->count != wanted)
            return EXIT_USAGE;
        AUTO(lab_destroy) lab_t *lab = lab_open(LAB_RUNNING, &err);
        return lab && verbs[i].run(lab, options, &err) == 0 ? EXIT_DONE : command_fail(&err);
    }
    return command_unknown("env command", options->words[0], names, ARRAY_SIZE(verbs),
        "'aiopslab env --help' lists them");
}

static int run(int argc, char **argv)
{
    static const struct argp parser = {
        option_table, parse_option, "create|list|kubeconfig|delete [WORD]", doc, NULL, NULL, NULL};
    options_t options = {0};
    int status;
    if (!command_parse(&parser, argc, argv, &options, &status))
        return status;
    return dispatch(&options);
}

const command_t command_env = {
    .name = "env", .summary = "make, show and end environments by hand", .run = run};
