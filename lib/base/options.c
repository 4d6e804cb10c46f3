#include "base/options.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/nearest.h"

#include <stdbool.h>
#include <string.h>

static const struct argp_option own_of_argp[] = {{"help", '?', NULL, 0, NULL, 0},
    {"usage", 0, NULL, 0, NULL, 0}, {"version", 'V', NULL, 0, NULL, 0}};

static bool is_end(const struct argp_option *option)
{
    return !option->name && !option->key && !option->doc;
}

static size_t count_of(const struct argp_option *table)
{
    size_t count = 0;
    while (table && !is_end(&table[count]))
        count++;
    return count;
}

/* Long options of the table and of argp, in new memory. */
static const struct argp_option **all_of(const struct argp_option *table, size_t *count_p)
{
    size_t in_table = count_of(table);
    size_t count = 0;
    const struct argp_option **all =
        xcalloc(in_table + ARRAY_SIZE(own_of_argp), sizeof(const struct argp_option *));
    for (size_t i = 0; i < in_table; i++) {
        if (table[i].name)
            all[count++] = &table[i];
    }
    for (size_t i = 0; i < ARRAY_SIZE(own_of_argp); i++)
        all[count++] = &own_of_argp[i];
    *count_p = count;
    return all;
}

static const struct argp_option *find_long(
    const struct argp_option *const *all, size_t count, const char *word, size_t length)
{
    const struct argp_option *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(all[i]->name, word, length) != 0)
            continue;
        found = all[i];
        if (!all[i]->name[length])
            break;
    }
    return found;
}

/* Whether the word of short options ends with one whose argument is the next word. */
static bool takes_next(const struct argp_option *const *all, size_t count, const char *word)
{
    for (const char *letter = word + 1; *letter; letter++) {
        for (size_t i = 0; i < count; i++) {
            if (all[i]->key == *letter && all[i]->arg)
                return !letter[1];
        }
    }
    return false;
}

static char *complain(
    const struct argp_option *const *all, size_t count, const char *word, size_t length)
{
    AUTO_FREE char *name = xstrndup(word, length);
    AUTO_FREE const char **names = xcalloc(count, sizeof(*names));
    const char *nearest[NEAREST_MAX];
    for (size_t i = 0; i < count; i++)
        names[i] = all[i]->name;
    size_t found = nearest_names(name, names, count, nearest);
    return found ? xasprintf("there is no option '--%s'; did you mean '--%s'?", name, nearest[0])
                 : xasprintf("there is no option '--%s'", name);
}

char *options_complaint(const struct argp_option *table, int argc, char *const *argv)
{
    size_t count;
    AUTO_FREE const struct argp_option **all = all_of(table, &count);
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *word = argv[i];
        if (*word != '-')
            continue;
        if (word[1] != '-') {
            i += takes_next(all, count, word);
            continue;
        }
        size_t length = strcspn(word + 2, "=");
        const struct argp_option *option = find_long(all, count, word + 2, length);
        if (!option)
            return complain(all, count, word + 2, length);
        i += option->arg && !word[2 + length];
    }
    return NULL;
}
