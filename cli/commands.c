#include "cli/command.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/options.h"

#include <stdio.h>

const command_t *const commands[] = {
    &command_down,
    &command_env,
    &command_faults,
    &command_inject,
    &command_judge,
    &command_mcp,
    &command_problems,
    &command_prompt,
    &command_prove,
    &command_recover,
    &command_run,
    &command_scores,
    &command_status,
    &command_supervise,
    &command_up,
};
const size_t command_count = ARRAY_SIZE(commands);

static size_t append_options(
    struct argp_option **all_p, size_t count, const struct argp_option *options)
{
    for (; options && (options->name || options->key || options->doc); options++) {
        *all_p = mem_check(realloc(*all_p, (count + 2) * sizeof(**all_p)));
        (*all_p)[count++] = *options;
        (*all_p)[count] = (struct argp_option){0};
    }
    return count;
}

/* Those of the parser and of its children, in new memory; NULL if it has none. */
static struct argp_option *all_options(const struct argp *parser)
{
    struct argp_option *all = NULL;
    size_t count = append_options(&all, 0, parser->options);
    for (const struct argp_child *child = parser->children; child && child->argp; child++)
        count = append_options(&all, count, child->argp->options);
    return all;
}

bool command_parse(const struct argp *parser, int argc, char **argv, void *options, int *status_p)
{
    AUTO_FREE char *name = xasprintf("aiopslab %s", argv[0]);
    AUTO_FREE struct argp_option *all = all_options(parser);
    AUTO_FREE char *complaint = options_complaint(all, argc, argv);
    *status_p = EXIT_USAGE;
    if (complaint) {
        fprintf(stderr, "aiopslab: %s\n", complaint);
        fprintf(stderr, "'%s --help' lists its options.\n", name);
        return false;
    }
    char *own_name = argv[0];
    argv[0] = name;
    argp_err_exit_status = EXIT_USAGE;
    error_t rc = argp_parse(parser, argc, argv, 0, NULL, options);
    argv[0] = own_name;
    *status_p = rc == 0 ? EXIT_DONE : EXIT_USAGE;
    return rc == 0;
}

int command_fail(const err_t *err)
{
    fprintf(stderr, "aiopslab: %s\n", err->text);
    return err->code == ERR_INVALID || err->code == ERR_NOT_FOUND ? EXIT_USAGE : EXIT_WRONG;
}

int command_unknown(
    const char *what, const char *word, const char *const *names, size_t count, const char *list)
{
    AUTO_FREE char *hint = nearest_hint(word, names, count);
    fprintf(stderr, "aiopslab: there is no %s '%s'; %s\n", what, word, *hint ? hint : list);
    return EXIT_USAGE;
}
