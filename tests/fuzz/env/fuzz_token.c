/* Bearer tokens: none is good but ours, and none does harm. The claims of one that we signed are
 * foreign bytes too: the second half of the input is signed and read back. */
#include "services/cluster/env/auth/jwt.h"
#include "services/cluster/env/auth/tokens.h"

#include "base/auto.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ev_t *ev;
    static store_t *store;
    static tokens_t *tokens;
    static jwt_key_t *key;
    user_t user;
    if (!ev) {
        ev = ev_sim_new();
        store = store_new(ev, 1);
        tokens = tokens_new(store);
        key = jwt_key_new();
    }
    AUTO_FREE char *text = xstrndup((const char *)data, size);
    if (tokens_check(tokens, text, NULL, 0, &user))
        abort();
    json_auto_t *claims = json_loadb((const char *)data, size, 0, NULL);
    if (!claims)
        return 0;
    AUTO_FREE char *token = jwt_sign(key, claims);
    json_auto_t *back = jwt_verify(key, token);
    if (!back || !json_equal(back, claims))
        abort();
    return 0;
}
