/* fault-docs: writes docs/faults.md from the table of faults. */
#include "base/auto.h"
#include "faults/catalogue.h"

#include <stdio.h>
#include <string.h>

static const char head[] =
    "# Faults\n"
    "\n"
    "*Written by `scripts/update-faults` from `lib/faults/faults.def`; how they work:\n"
    "[decision 0601](decisions/0601-fault-library.md).*\n"
    "\n"
    "    aiopslab faults [NAME]                                     what there is\n"
    "    aiopslab inject FAULT --env E --target T [--param k=v]...  put it in force; prints its "
    "id\n"
    "    aiopslab recover ID|--all --env E                          undo exactly what it changed\n"
    "\n"
    "A target is a name, `label:KEY=VALUE`, `role:ROLE` (the label `app.kubernetes.io/component`), "
    "or `random`,\n"
    "`random:label:…`, `random:role:…`: one of those, by the seed. `--after`, `--for`, `--every` "
    "with `--times`, and `--ramp` say when.\n";

static void write_parameters(const fault_spec_t *spec)
{
    if (spec->parameter_count == 0)
        return;
    printf("\n| parameter | default | bounds | |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < spec->parameter_count; i++) {
        const fault_parameter_t *parameter = &spec->parameters[i];
        printf("| `%s` | %s%s%s | %lld to %lld %s | %s |\n", parameter->name,
            parameter->usual && *parameter->usual ? "`" : "",
            !parameter->usual   ? "needed"
            : *parameter->usual ? parameter->usual
                                : "",
            parameter->usual && *parameter->usual ? "`" : "", (long long)parameter->least,
            (long long)parameter->most,
            parameter->type == FAULT_TEXT ? "characters" : parameter->unit, parameter->doc);
    }
}

static void write_fault(const fault_spec_t *spec)
{
    printf("\n### %s\n\n%s.\n\n", spec->name, spec->summary);
    printf("- strikes: %s\n", *spec->strikes ? spec->strikes : "nothing");
    printf("- symptom: %s\n", spec->symptom);
    if (*spec->needs)
        printf("- needs: %s\n", spec->needs);
    write_parameters(spec);
}

int main(void)
{
    size_t count;
    const fault_spec_t *specs = fault_specs(&count);
    fputs(head, stdout);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(specs[i].level, specs[i - 1].level) != 0)
            printf("\n## Level: %s\n", specs[i].level);
        write_fault(&specs[i]);
    }
    return 0;
}
