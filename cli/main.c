/* aiopslab - the command line. */
#include "cli/command.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: aiopslab [COMMAND [ARGUMENT...]]\n"
    "\n"
    "Puts agents to work on cloud applications that are broken on purpose.\n"
    "Without a command it opens a prompt: 'start ID', then each line is an action, 'exit'.\n"
    "\n";

static void print_usage(FILE *out)
{
    fputs(usage, out);
    for (size_t i = 0; i < command_count; i++) {
        if (commands[i]->summary)
            fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    }
    fputs("\n'aiopslab COMMAND --help' tells more.\n", out);
}

static const command_t *find_command(const char *name)
{
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static int fail_unknown(const char *name)
{
    AUTO_FREE const char **names = xcalloc(command_count, sizeof(*names));
    size_t count = 0;
    for (size_t i = 0; i < command_count; i++) {
        if (commands[i]->summary)
            names[count++] = commands[i]->name;
    }
    return command_unknown(
        *name == '-' ? "option" : "command", name, names, count, "'aiopslab --help' lists them");
}

int main(int argc, char **argv)
{
    setenv("ARGP_HELP_FMT", "no-dup-args-note,opt-doc-col=30,rmargin=96", 0);
    if (argc < 2)
        return command_prompt.run(1, (char *[]){(char *)command_prompt.name, NULL});
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_usage(stdout);
        return EXIT_DONE;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        puts("aiopslab " AIO_VERSION);
        return EXIT_DONE;
    }
    const command_t *command = find_command(name);
    return command ? command->run(argc - 1, argv + 1) : fail_unknown(name);
}
