/* mitigation: nothing that is said counts; mitigation.h measures. */
#include "services/evaluator/grader.h"

const grader_t grader_mitigation = {.task = "mitigation", .time_key = "TTM"};
