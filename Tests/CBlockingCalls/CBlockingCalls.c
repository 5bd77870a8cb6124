/* SPDX-License-Identifier: Apache-2.0 */

/* A seccomp filter for one thread that traps all but harmless calls, and the handler that counts them. */

#define _GNU_SOURCE
#include "CBlockingCalls.h"

#include <errno.h>

#if defined(__linux__)
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

static _Thread_local volatile int calls;
static _Thread_local volatile int last_call;

static void count(int signal, siginfo_t *info, void *context) {
    (void)signal;
    calls++;
    last_call = info->si_syscall;
    ucontext_t *state = context;
    /* Whoever waits for a lock tries again, as after a spurious wake. */
    long answer = info->si_syscall == SYS_futex ? -EAGAIN : -EPERM;
#if defined(__x86_64__)
    state->uc_mcontext.gregs[REG_RAX] = answer;
#elif defined(__aarch64__)
    state->uc_mcontext.regs[0] = (unsigned long)answer;
#endif
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define TRAP BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP)
#define PERMIT(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), ALLOW

int weir_watch_begin(void) {
    struct sigaction action = {.sa_sigaction = count, .sa_flags = SA_SIGINFO};
    if (sigaction(SIGSYS, &action, 0) != 0) return errno;
    struct sock_filter filter[] = {
        LOAD(nr),
        PERMIT(SYS_brk), PERMIT(SYS_munmap), PERMIT(SYS_mremap), PERMIT(SYS_mprotect), PERMIT(SYS_madvise),
        PERMIT(SYS_clock_gettime), PERMIT(SYS_gettimeofday), PERMIT(SYS_getrandom), PERMIT(SYS_gettid),
        PERMIT(SYS_rt_sigreturn), PERMIT(SYS_rt_sigprocmask), PERMIT(SYS_sigaltstack), PERMIT(SYS_exit),
        PERMIT(SYS_rseq), PERMIT(SYS_set_robust_list),
        /* Memory that is no file's. */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 4),
        LOAD(args[3]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 0, 1), ALLOW,
        TRAP,
        /* Waking others, not waiting for them. */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 6),
        LOAD(args[1]),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, FUTEX_CMD_MASK),
        PERMIT(FUTEX_WAKE), PERMIT(FUTEX_UNLOCK_PI),
        TRAP,
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) return errno;
    return 0;
}

int weir_watch_count(int *last) {
    *last = last_call;
    return calls;
}
#else
int weir_watch_begin(void) { return ENOTSUP; }
int weir_watch_count(int *last) {
    *last = 0;
    return 0;
}
#endif
