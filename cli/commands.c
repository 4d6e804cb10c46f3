#include "cli/command.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/options.h"

#include <stdio.h>

const command_t *const commands[] = {
    &command_down,
    &command_env,
    &command_mcp,
    &command_problems,
    &command_prompt,
    &command_run,
    &command_status,
    &command_supervise,
    &command_up,
};
const size_t command_count = ARRAY_SIZE(commands);

bool command_parse(const struct argp *parser, int argc, char **argv, void *options, int *status_p)
{
    AUTO_FREE char *name = xasprintf("aiopslab %s", argv[0]);
    AUTO_FREE char *complaint = options_complaint(parser->options, argc, argv);
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
