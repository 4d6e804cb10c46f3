#include "cli/timing.h"

#include <time.h>

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t add_all(json_t *sums, const json_t *phases)
{
    int64_t sum = 0;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)phases, name, value)
    {
        int64_t ms = (int64_t)json_number_value(value);
        int64_t before = json_integer_value(json_object_get(sums, name));
        json_object_set_new(sums, name, json_integer(before + ms));
        sum += ms;
    }
    return sum;
}

void timing_init(timing_t *self)
{
    *self = (timing_t){.began_ms = now_ms(), .phases = json_object(), .env_phases = json_object()};
}

void timing_done(timing_t *self)
{
    json_decref(self->phases);
    json_decref(self->env_phases);
}

void timing_add(timing_t *self, const json_t *result)
{
    self->sessions_ms += add_all(self->phases, json_object_get(result, "phases_ms"));
    (void)add_all(self->env_phases, json_object_get(result, "environment_phases_ms"));
}

static void print_line(FILE *out, int depth, const char *name, int64_t ms)
{
    fprintf(out, "  %*s%-*s%8.3f s\n", depth * 2, "", 24 - depth * 2, name, (double)ms / 1000);
}

void timing_print(const timing_t *self, FILE *out)
{
    int64_t all_ms = now_ms() - self->began_ms;
    const char *name;
    json_t *value;
    fputs("time\n", out);
    print_line(out, 0, "system up and down", all_ms - self->sessions_ms);
    json_object_foreach(self->phases, name, value)
    {
        print_line(out, 0, name, json_integer_value(value));
        const char *env_name;
        json_t *env_value;
        if (name[0] != 'p') /* provisioning: within it the environment is made */
            continue;
        json_object_foreach(self->env_phases, env_name, env_value)
            print_line(out, 1, env_name, json_integer_value(env_value));
    }
    print_line(out, 0, "all", all_ms);
}
