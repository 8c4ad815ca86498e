// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's processor as the other side of test-insn: loads all registers, runs code at its
 * address and stores all registers, in 64-bit or (through a far jump) 32-bit code; signals tell of
 * faults.
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "tests/unit/target-i386/insn.h"

#ifdef __x86_64__
void native_run(void);
__asm__(".text\n"
        "native_run:\n"
        "push %rbx\n"
        "push %rbp\n"
        "push %r12\n"
        "push %r13\n"
        "push %r14\n"
        "push %r15\n"
        "pushfq\n"
        "stmxcsr 0x20300304\n"
        "fnstcw 0x20300308\n"
        "rdfsbase %rax\n"
        "mov %rax, 0x203000a8\n"
        "mov %rsp, 0x20300090\n"
        "fxrstor64 0x20300400\n"
        "ldmxcsr 0x20300300\n"
        "mov $0x20300100, %eax\n"
        ".set k, 0\n"
        ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "vmovdqu 32*k(%rax), %ymm\\r\n"
        ".set k, k + 1\n"
        ".endr\n"
        "cmpl $0, 0x20300e40\n"
        "je 2f\n"
        "mov $0x20300600, %eax\n"
        ".set k, 0\n"
        ".irp r, "
        "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
        "vmovdqu64 64*k(%rax), %zmm\\r\n"
        ".set k, k + 1\n"
        ".endr\n"
        ".set k, 0\n"
        ".irp r, 0,1,2,3,4,5,6,7\n"
        "kmovq 0x800+8*k(%rax), %k\\r\n"
        ".set k, k + 1\n"
        ".endr\n"
        "2:\n"
        "movzwl 0x203000c0, %eax\n" /* DS and ES to begin with */
        "mov %eax, %ds\n"
        "mov %eax, %es\n"
        "mov 0x20300000, %rax\n"
        "mov 0x20300008, %rcx\n"
        "mov 0x20300010, %rdx\n"
        "mov 0x20300018, %rbx\n"
        "mov 0x20300028, %rbp\n"
        "mov 0x20300030, %rsi\n"
        "mov 0x20300038, %rdi\n"
        "mov 0x20300040, %r8\n"
        "mov 0x20300048, %r9\n"
        "mov 0x20300050, %r10\n"
        "mov 0x20300058, %r11\n"
        "mov 0x20300060, %r12\n"
        "mov 0x20300068, %r13\n"
        "mov 0x20300070, %r14\n"
        "mov 0x20300078, %r15\n"
        "cmpl $0, 0x203000c8\n"
        "jne 4f\n"
        "cmpl $0, 0x203000b4\n"
        "jne 1f\n"
        "pushq 0x20300080\n"
        "popfq\n"
        "mov 0x20300020, %rsp\n"
        "jmp *0x20300088\n"
        "1: pushq 0x20300080\n"
        "popfq\n"
        "mov 0x20300020, %rsp\n"
        "ljmp *0x203000b0\n"
        "4: pushq 0x203000d8\n" /* a single step: SS, RSP, flags, CS, RIP at once */
        "pushq 0x20300020\n"
        "pushq 0x20300080\n"
        "pushq 0x203000d0\n"
        "pushq 0x20300088\n"
        "iretq\n"
        ".globl native_exit\n"
        "native_exit:\n"
        "mov %rax, 0x20300000\n"
        "mov %rcx, 0x20300008\n"
        "mov %rdx, 0x20300010\n"
        "mov %rbx, 0x20300018\n"
        "mov %rsp, 0x20300020\n"
        "mov %rbp, 0x20300028\n"
        "mov %rsi, 0x20300030\n"
        "mov %rdi, 0x20300038\n"
        "mov %r8, 0x20300040\n"
        "mov %r9, 0x20300048\n"
        "mov %r10, 0x20300050\n"
        "mov %r11, 0x20300058\n"
        "mov %r12, 0x20300060\n"
        "mov %r13, 0x20300068\n"
        "mov %r14, 0x20300070\n"
        "mov %r15, 0x20300078\n"
        "mov 0x20300090, %rsp\n"
        "pushfq\n"
        "popq 0x20300080\n"
        "cld\n"
        "mov %es, 0x203000b8\n"
        "mov %cs, 0x203000ba\n"
        "mov %ss, 0x203000bc\n"
        "mov %ds, 0x203000be\n"
        "mov %fs, 0x203000c2\n"
        "mov %gs, 0x203000c4\n"
        "rdfsbase %rax\n"
        "mov %rax, 0x20300098\n"
        "rdgsbase %rax\n"
        "mov %rax, 0x203000a0\n"
        "xor %eax, %eax\n"
        "mov %eax, %ds\n"
        "mov %eax, %es\n"
        "mov %eax, %fs\n"
        "mov %eax, %gs\n"
        "wrgsbase %rax\n"
        "mov 0x203000a8, %rax\n"
        "wrfsbase %rax\n"
        "mov $0x20300100, %eax\n"
        ".set k, 0\n"
        ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "vmovdqu %ymm\\r, 32*k(%rax)\n"
        ".set k, k + 1\n"
        ".endr\n"
        "cmpl $0, 0x20300e40\n"
        "je 3f\n"
        "mov $0x20300600, %eax\n"
        ".set k, 0\n"
        ".irp r, "
        "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
        "vmovdqu64 %zmm\\r, 64*k(%rax)\n"
        ".set k, k + 1\n"
        ".endr\n"
        ".set k, 0\n"
        ".irp r, 0,1,2,3,4,5,6,7\n"
        "kmovq %k\\r, 0x800+8*k(%rax)\n"
        ".set k, k + 1\n"
        ".endr\n"
        "3:\n"
        "vzeroupper\n"
        "fxsave64 0x20300400\n"
        "fninit\n"
        "fldcw 0x20300308\n"
        "ldmxcsr 0x20300304\n"
        "popfq\n"
        "pop %r15\n"
        "pop %r14\n"
        "pop %r13\n"
        "pop %r12\n"
        "pop %rbp\n"
        "pop %rbx\n"
        "ret\n");
#endif

/* Per process: signals leave no other way. */
static sigjmp_buf fault_jump;
int fault_signal;
NativeState at_fault;
unsigned fault_vector, fault_error;
uint64_t fault_cr2;
static volatile bool on_host;

const char *host_lacks(void)
{
    if (!__builtin_cpu_supports("avx2")) {
        return "the host has no AVX2";
    }
    return getauxval(AT_HWCAP2) & 2 ? NULL : "the host's kernel does not enable FSGSBASE";
}

bool host_wide(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512cd");
}

uint64_t host_fs_base(void)
{
    uint64_t v;

    __asm__("mov %%fs:0, %0" : "=r"(v)); /* the thread's block begins with its address */
    return v;
}

static void note_fault(const ucontext_t *uc)
{
    static const int regs[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                 REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                 REG_R12, REG_R13, REG_R14, REG_R15};
    const greg_t *g = uc->uc_mcontext.gregs;

    for (unsigned n = 0; n < 16; n++) {
        at_fault.regs[n] = (uint64_t)g[regs[n]];
        memcpy(at_fault.ymm[n], &uc->uc_mcontext.fpregs->_xmm[n], 16);
    }
    at_fault.rflags = (uint64_t)g[REG_EFL];
    at_fault.entry = (uint64_t)g[REG_RIP];
    at_fault.mxcsr = uc->uc_mcontext.fpregs->mxcsr;
    fault_vector = (unsigned)g[REG_TRAPNO];
    fault_error = (unsigned)g[REG_ERR];
    fault_cr2 = (uint64_t)g[REG_CR2];
}

static void on_signal(int sig, siginfo_t *info, void *uc)
{
    if (!on_host) {
        signal(sig, SIG_DFL); /* ours: back to where it strikes again */
        return;
    }
    fault_signal = sig;
    note_fault(uc);
    on_host = false;
    siglongjmp(fault_jump, 1);
}

void host_catch_signals(void)
{
    static const int signals[] = {SIGSEGV, SIGFPE, SIGILL, SIGBUS, SIGTRAP};
    static uint8_t stack[65536]; /* the kernel keeps its address */
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction sa = {.sa_sigaction = on_signal,
                           .sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO};

    sigaltstack(&ss, NULL);
    for (unsigned k = 0; k < G_N_ELEMENTS(signals); k++) {
        sigaction(signals[k], &sa, NULL);
    }
}

bool host_run(void)
{
    fault_signal = 0;
    if (sigsetjmp(fault_jump, 1) == 0) {
        on_host = true;
        native_run();
        on_host = false;
        return true;
    }
    return false;
}
