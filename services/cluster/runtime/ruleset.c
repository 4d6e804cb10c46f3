#include "services/cluster/runtime/ruleset.h"

#include "base/auto.h"
#include "base/mem.h"

#include <nftables/libnftables.h>

struct ruleset {
    struct nft_ctx *nft;
};

ruleset_t *ruleset_new(err_t *err)
{
    AUTO(ruleset_destroy) ruleset_t *self = xcalloc(1, sizeof(*self));
    self->nft = nft_ctx_new(NFT_CTX_DEFAULT);
    if (!self->nft) {
        err_set(err, ERR_IO, "cannot talk to nftables");
        return NULL;
    }
    nft_ctx_buffer_error(self->nft);
    nft_ctx_buffer_output(self->nft);
    return TAKE(self);
}

void ruleset_destroy(ruleset_t **self_p)
{
    ruleset_t *self = *self_p;
    if (!self)
        return;
    if (self->nft)
        nft_ctx_free(self->nft);
    free(self);
    *self_p = NULL;
}

int ruleset_run(ruleset_t *self, const char *commands, err_t *err)
{
    if (nft_run_cmd_from_buffer(self->nft, commands) == 0)
        return 0;
    const char *said = nft_ctx_get_error_buffer(self->nft);
    return err_set(err, ERR_IO, "nftables: %.*s", (int)strcspn(said, "\n"), said);
}
