/* problem_check - what a file's schema cannot say. Private to problems/. */
#ifndef PROBLEMS_PROBLEM_CHECK_H
#define PROBLEMS_PROBLEM_CHECK_H

#include "problems/problem.h"

/* Fails with file, line and column of the first mistake, and what was expected. The family is
 * complete. */
int problem_check(const char *path, const problem_family_t *family, err_t *err);

#endif
