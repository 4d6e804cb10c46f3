/* problem_file - one YAML file of the problems folder. Private to problems/. */
#ifndef PROBLEMS_PROBLEM_FILE_H
#define PROBLEMS_PROBLEM_FILE_H

#include "problems/problem.h"

/* Reads and checks a file; *family_p is for problem_file_free(). */
int problem_file_load(const char *path, problem_family_t **family_p, err_t *err);
void problem_file_free(problem_family_t *family);

#endif
