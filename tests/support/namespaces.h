/* namespaces - runs a test as the first process of namespaces of its own, as aiopslab-env is,
 * with a loopback interface on which every port is free. */
#ifndef TESTS_SUPPORT_NAMESPACES_H
#define TESTS_SUPPORT_NAMESPACES_H

/* The exit status that ctest takes for "skipped" (SKIP_RETURN_CODE). */
enum { TEST_SKIPPED = 77 };

/* Returns what run() returns, or TEST_SKIPPED, having said why, where such namespaces cannot be
 * had: neither root nor user namespaces. */
int in_namespaces(int (*run)(void));

#endif
