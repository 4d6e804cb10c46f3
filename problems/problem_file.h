/* problem_file - one YAML file of the problems folder. Private to problems/. */
#ifndef PROBLEMS_PROBLEM_FILE_H
#define PROBLEMS_PROBLEM_FILE_H

#include "problems/application.h"
#include "problems/problem.h"

/* NULL with the reason if there is no such application. */
typedef const application_t *(application_find_fn)(void *arg, const char *name, err_t *err);

/* Reads and checks a file; *family_p is for problem_file_free(). */
int problem_file_load(const char *path, application_find_fn *find, void *arg,
    problem_family_t **family_p, err_t *err);
void problem_file_free(problem_family_t *family);

#endif
