#include "faults/catalogue.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/number.h"
#include "faults/target.h"

#define USUAL(text) (text)
#define NO_USUAL    NULL

/* An empty last entry, because an array needs one. */
#define FAULT(name, level, strikes, summary, symptom, needs)                                       \
    static const fault_parameter_t name##_parameters[] = {
#define PARAMETER(fault, name, type, usual, least, most, unit, doc)                                \
    {#name, FAULT_##type, usual, least, most, unit, doc},
#define END(name)                                                                                  \
    {                                                                                              \
        0                                                                                          \
    }                                                                                              \
    }                                                                                              \
    ;
/* clang-format off */
#include "faults/faults.def"
/* clang-format on */
#undef FAULT
#undef PARAMETER
#undef END

static const fault_spec_t specs[] = {
#define FAULT(name_, level_, strikes_, summary_, symptom_, needs_)                                 \
    {.name = #name_,                                                                               \
        .level = (level_),                                                                         \
        .strikes = (strikes_),                                                                     \
        .summary = (summary_),                                                                     \
        .symptom = (symptom_),                                                                     \
        .needs = (needs_),                                                                         \
        .parameters = name_##_parameters,                                                          \
        .parameter_count = ARRAY_SIZE(name_##_parameters) - 1},
#define PARAMETER(fault, name, type, usual, least, most, unit, doc)
#define END(name)
/* clang-format off */
#include "faults/faults.def"
/* clang-format on */
#undef FAULT
#undef PARAMETER
#undef END
};

const fault_spec_t *fault_specs(size_t *count_p)
{
    *count_p = ARRAY_SIZE(specs);
    return specs;
}

const fault_spec_t *fault_spec_find(const char *name, err_t *err)
{
    const char *names[ARRAY_SIZE(specs)];
    for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
        names[i] = specs[i].name;
        if (strcmp(names[i], name) == 0)
            return &specs[i];
    }
    AUTO_FREE char *hint = nearest_hint(name, names, ARRAY_SIZE(specs));
    (void)err_set(
        err, ERR_NOT_FOUND, "there is no fault '%.60s'%s%s", name, *hint ? "; " : "", hint);
    return NULL;
}

/* ---- checking ----------------------------------------------------------------------------- */

static int unknown_parameter(const fault_spec_t *self, const char *name, err_t *err)
{
    const char *names[16];
    size_t count = 0;
    for (; count < self->parameter_count && count < ARRAY_SIZE(names); count++)
        names[count] = self->parameters[count].name;
    AUTO_FREE char *hint = nearest_hint(name, names, count);
    return err_set(err, ERR_INVALID, "the fault '%s' has no parameter '%.60s'; %s", self->name,
        name,
        *hint   ? hint
        : count ? "'aiopslab faults' tells which it has"
                : "it has none");
}

static int check_value(
    const fault_spec_t *self, const fault_parameter_t *parameter, const char *text, err_t *err)
{
    int64_t number;
    if (parameter->type == FAULT_NUMBER
        && !number_parse(text, parameter->least, parameter->most, &number))
        return err_set(err, ERR_INVALID,
            "parameter '%s' of the fault '%s' must be a whole number from %lld to %lld%s%s, not "
            "'%.60s'",
            parameter->name, self->name, (long long)parameter->least, (long long)parameter->most,
            *parameter->unit ? " " : "", parameter->unit, text);
    int64_t length = (int64_t)strlen(text);
    if (parameter->type == FAULT_TEXT && (length < parameter->least || length > parameter->most))
        return err_set(err, ERR_INVALID,
            "parameter '%s' of the fault '%s' must have %lld to %lld characters, not %lld",
            parameter->name, self->name, (long long)parameter->least, (long long)parameter->most,
            (long long)length);
    return 0;
}

int fault_spec_check_parameter(
    const fault_spec_t *self, const char *name, const json_t *value, err_t *err)
{
    char digits[24];
    (void)snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(value));
    const char *text = json_is_integer(value) ? digits : json_string_value(value);
    for (size_t i = 0; i < self->parameter_count; i++) {
        if (strcmp(self->parameters[i].name, name) != 0)
            continue;
        if (!text)
            return err_set(err, ERR_INVALID,
                "parameter '%s' of the fault '%s' must be a text or a whole number", name,
                self->name);
        return check_value(self, &self->parameters[i], text, err);
    }
    return unknown_parameter(self, name, err);
}

static int check_parameters(const fault_spec_t *self, const json_t *parameters, err_t *err)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)parameters, name, value)
    {
        int rc = fault_spec_check_parameter(self, name, value, err);
        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < self->parameter_count; i++) {
        const char *needed = self->parameters[i].name;
        if (!self->parameters[i].usual && !json_object_get(parameters, needed))
            return err_set(
                err, ERR_INVALID, "the fault '%s' needs the parameter '%s'", self->name, needed);
    }
    return 0;
}

static int check_targets(
    const fault_spec_t *self, const char *const *targets, size_t target_count, err_t *err)
{
    if (!*self->strikes && target_count)
        return err_set(err, ERR_INVALID, "the fault '%s' has no targets, so '%.60s' is too much",
            self->name, targets[0]);
    if (*self->strikes && !target_count)
        return err_set(
            err, ERR_INVALID, "the fault '%s' needs a target, a %s", self->name, self->strikes);
    for (size_t i = 0; i < target_count; i++) {
        target_t target;
        int rc = target_parse(targets[i], &target, err);
        target_done(&target);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int fault_spec_check(const fault_spec_t *self, const char *const *targets, size_t target_count,
    const json_t *parameters, err_t *err)
{
    int rc = check_targets(self, targets, target_count, err);
    return rc < 0 ? rc : check_parameters(self, parameters, err);
}

/* ---- telling ------------------------------------------------------------------------------ */

static json_t *parameter_to_json(const fault_parameter_t *self)
{
    return json_pack("{s:s, s:s, s:s?, s:I, s:I, s:s, s:s}", "name", self->name, "type",
        self->type == FAULT_NUMBER ? "number" : "text", "default", self->usual, "least",
        (json_int_t)self->least, "most", (json_int_t)self->most, "unit", self->unit, "doc",
        self->doc);
}

json_t *fault_spec_to_json(const fault_spec_t *self)
{
    json_t *parameters = json_array();
    for (size_t i = 0; i < self->parameter_count; i++)
        json_array_append_new(parameters, parameter_to_json(&self->parameters[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "name", self->name, "level",
        self->level, "strikes", self->strikes, "summary", self->summary, "symptom", self->symptom,
        "needs", self->needs, "parameters", parameters);
}
