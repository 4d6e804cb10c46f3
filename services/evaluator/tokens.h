/* tokens - how long a text is for a language model, by a rule of our own.
 *
 * The text is cut as the tokenizers of the GPT family cut it before they look into their
 * vocabulary: letters (with a blank before them), up to three digits, other signs (with a blank
 * before them), line ends, further blanks. A piece of letters counts one for each six of them
 * begun, one of other signs one for each two begun, any other counts one. So the count needs no
 * vocabulary, never fails, and is the same everywhere; it is an estimate, to compare sessions with
 * each other. */
#ifndef EVALUATOR_TOKENS_H
#define EVALUATOR_TOKENS_H

#include <stddef.h>

size_t tokens_count(const char *text);

#endif
