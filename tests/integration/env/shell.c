#include "tests/integration/env/shell.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdlib.h>

void shell_write(const shell_t *self, const char *name, const char *text)
{
    AUTO_FREE char *path = xasprintf("%s/%s", self->folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

int shell_setup(void **state)
{
    shell_t *self = xcalloc(1, sizeof(*self));
    *state = self;
    strcpy(self->folder, "/tmp/env-kubectl-XXXXXX");
    if (!mkdtemp(self->folder))
        return -1;
    self->server = server_new(self->folder);
    AUTO_FREE char *config =
        xasprintf("apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: '%s',"
                  " certificate-authority: authority.pem}}]\nusers: [{name: u, user: {token:"
                  " operator-token}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
                  "current-context: x\n",
            server_url(self->server));
    shell_write(self, "config", config);
    shell_write(self, "authority.pem", server_ca(self->server));
    return 0;
}

int shell_teardown(void **state)
{
    shell_t *self = *state;
    AUTO_FREE char *command = xasprintf("rm -r %s", self->folder);
    server_destroy(&self->server);
    free(self);
    return system(command);
}

void shell_kubectl(shell_t *self, const char *arguments)
{
    if (system("command -v kubectl >/dev/null") != 0)
        skip();
    AUTO_FREE char *command =
        xasprintf("cd %s && export HOME=$PWD KUBECONFIG=$PWD/config && timeout 30 kubectl %s 2>&1",
            self->folder, arguments);
    size_t length = 0;
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    for (int c = getc(pipe); c != EOF && length < OUTPUT_SIZE - 1; c = getc(pipe)) {
        if (c != ' ' || !length || self->output[length - 1] != ' ')
            self->output[length++] = (char)c;
    }
    self->output[length] = 0;
    self->exit_status = pclose(pipe);
}

void shell_expect(shell_t *self, const char *arguments, const char *wanted)
{
    shell_kubectl(self, arguments);
    if (!strstr(self->output, wanted))
        fail_msg("kubectl %s said\n%s\nand not\n%s", arguments, self->output, wanted);
}
