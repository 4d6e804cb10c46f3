/* table - what was proven, for people and for programs. */
#ifndef CLI_PROVE_TABLE_H
#define CLI_PROVE_TABLE_H

#include "cli/prove/proof.h"

/* {proofs: [{problem, agent, seed, solution, healthy, wanted, outcome, right, symptom_after_ms}],
 * right, wrong}. A new reference. */
json_t *table_to_json(const proofs_t *proofs);

/* A page of Markdown; for free(). */
char *table_to_page(const proofs_t *proofs);

#endif
