#include "services/cluster/runtime/seccomp.h"

#include "base/auto.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
enum { NATIVE = AUDIT_ARCH_X86_64, FOREIGN_FROM = 0x40000000 /* the x32 calls */ };
#elif defined(__aarch64__)
enum { NATIVE = AUDIT_ARCH_AARCH64, FOREIGN_FROM = 0x7fffffff };
#else
#error "the numbers of this machine's system calls are not known here"
#endif

static const struct refused {
    int number;
    int error;
} refused[] = {
    /* namespaces and mounts */
    {SYS_mount, EPERM},
    {SYS_umount2, EPERM},
    {SYS_pivot_root, EPERM},
    {SYS_fsopen, EPERM},
    {SYS_fsconfig, EPERM},
    {SYS_fsmount, EPERM},
    {SYS_fspick, EPERM},
    {SYS_move_mount, EPERM},
    {SYS_open_tree, EPERM},
    {SYS_mount_setattr, EPERM},
    {SYS_setns, EPERM},
    {SYS_unshare, EPERM},
    {SYS_clone3, ENOSYS}, /* its flags are in memory, out of sight: libraries fall back on clone */
    /* what the kernel keeps for everybody */
    {SYS_add_key, EPERM},
    {SYS_keyctl, EPERM},
    {SYS_request_key, EPERM},
    {SYS_bpf, EPERM},
    {SYS_perf_event_open, EPERM},
    {SYS_fanotify_init, EPERM},
    {SYS_lookup_dcookie, EPERM},
    {SYS_syslog, EPERM},
    {SYS_acct, EPERM},
    {SYS_quotactl, EPERM},
    {SYS_quotactl_fd, EPERM},
    {SYS_swapon, EPERM},
    {SYS_swapoff, EPERM},
    {SYS_nfsservctl, EPERM},
    {SYS_vhangup, EPERM},
    {SYS_sethostname, EPERM},
    {SYS_setdomainname, EPERM},
    /* the kernel itself */
    {SYS_init_module, EPERM},
    {SYS_finit_module, EPERM},
    {SYS_delete_module, EPERM},
    {SYS_kexec_load, EPERM},
    {SYS_kexec_file_load, EPERM},
    {SYS_reboot, EPERM},
    {SYS_clock_settime, EPERM},
    {SYS_clock_adjtime, EPERM},
    {SYS_settimeofday, EPERM},
#if defined(__x86_64__)
    {SYS_iopl, EPERM},
    {SYS_ioperm, EPERM},
    {SYS_create_module, EPERM},
    {SYS_get_kernel_syms, EPERM},
    {SYS_query_module, EPERM},
    {SYS_uselib, EPERM},
    {SYS_ustat, EPERM},
    {SYS_sysfs, EPERM},
    {SYS__sysctl, EPERM},
    {SYS_modify_ldt, EPERM},
#endif
    /* ways around other checks, or into the kernel's least tried parts */
    {SYS_open_by_handle_at, EPERM},
    {SYS_kcmp, EPERM},
    {SYS_pidfd_getfd, EPERM},
    {SYS_userfaultfd, EPERM},
    {SYS_io_uring_setup, EPERM},
    {SYS_io_uring_enter, EPERM},
    {SYS_io_uring_register, EPERM},
    {SYS_mbind, EPERM},
    {SYS_move_pages, EPERM},
    {SYS_migrate_pages, EPERM},
    {SYS_set_mempolicy, EPERM},
};

/* Where a container has one user only, files cannot be given to another: what gives them away is
 * told that it went well, as in other runtimes without root, for tar(1) and installers to go on. */
static const int pretended[] = {
#if defined(__x86_64__)
    SYS_chown,
    SYS_lchown,
#endif
    SYS_fchown,
    SYS_fchownat,
};

enum {
    NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER
                     | CLONE_NEWPID | CLONE_NEWNET,
    FIXED = 16, /* instructions beside the table's, at most */
};

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* The lower half of an argument, which is where all flags are. */
#define LOAD_ARGUMENT(i)                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[i]))
#define SKIP_UNLESS(test, value, count) BPF_JUMP(BPF_JMP | (test) | BPF_K, value, 0, count)
#define REFUSE(error)                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define ALLOW                           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

typedef struct program {
    struct sock_filter code[2 * (ARRAY_SIZE(refused) + ARRAY_SIZE(pretended)) + FIXED];
    unsigned short size;
} program_t;

static void add(program_t *self, const struct sock_filter *code, size_t count)
{
    for (size_t i = 0; i < count; i++)
        self->code[self->size++] = code[i];
}

static void build(program_t *self, bool has_one_user)
{
    const struct sock_filter head[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0),
        REFUSE(EPERM),
        LOAD(nr),
        SKIP_UNLESS(BPF_JGE, FOREIGN_FROM, 1),
        REFUSE(ENOSYS),
    };
    const struct sock_filter tail[] = {
        SKIP_UNLESS(BPF_JEQ, SYS_clone, 4),
        LOAD_ARGUMENT(0),
        SKIP_UNLESS(BPF_JSET, NEW_NAMESPACES, 1),
        REFUSE(EPERM),
        ALLOW,
        SKIP_UNLESS(BPF_JEQ, SYS_socket, 3),
        LOAD_ARGUMENT(0),
        SKIP_UNLESS(BPF_JEQ, AF_VSOCK, 1), /* leads out of every network namespace */
        REFUSE(EAFNOSUPPORT),
        ALLOW,
    };
    add(self, head, ARRAY_SIZE(head));
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        const struct sock_filter entry[] = {
            SKIP_UNLESS(BPF_JEQ, (uint32_t)refused[i].number, 1),
            REFUSE((uint32_t)refused[i].error),
        };
        add(self, entry, ARRAY_SIZE(entry));
    }
    for (size_t i = 0; has_one_user && i < ARRAY_SIZE(pretended); i++) {
        const struct sock_filter entry[] = {
            SKIP_UNLESS(BPF_JEQ, (uint32_t)pretended[i], 1),
            REFUSE(0),
        };
        add(self, entry, ARRAY_SIZE(entry));
    }
    add(self, tail, ARRAY_SIZE(tail));
}

const struct sock_fprog *seccomp_program(bool has_one_user)
{
    static program_t program;
    static struct sock_fprog handle;
    if (!program.size) {
        build(&program, has_one_user);
        handle = (struct sock_fprog){.len = program.size, .filter = program.code};
    }
    return &handle;
}

int seccomp_enter(const struct sock_fprog *program)
{
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0);
}
