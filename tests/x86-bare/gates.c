// SPDX-License-Identifier: GPL-2.0-or-later
/* Call, interrupt and task gates, task switches, changes of level: SDM 3A 5.8, 6.12, 7. */
#include "bare.h"

enum {
    G_CALL = 48,
    G_TASK = 56,
    T_OTHER = 64,
    G_CALL_IN = 72,
    C_CONFORM = 80,
    G_NULL = 88,
    D_LDT = 96
};
static Tss other;
static volatile uint32_t seen[8];
static uint8_t other_stack[4096];

/* What user code has pushed arrives on the inner stack. */
void gate_target(void);
__asm__(".text\n"
        "gate_target:\n"
        "  pushl %ds\n  movl $16, %eax\n  movl %eax, %ds\n"
        /* first parameter copied: return offset, CS, parameters */
        "  movl 12(%esp), %eax\n  movl %eax, seen\n"
        "  movl 16(%esp), %eax\n  movl %eax, seen+4\n"
        "  movl 20(%esp), %eax\n  movl %eax, seen+8\n"     /* old ESP */
        "  movl %cs, %eax\n  movl %eax, seen+12\n"
        "  movl %esp, seen+16\n"
        "  popl %ds\n"
        "  lretl $8\n");

static void user(uint32_t eflags, void (*fn)(void))
{
    __asm__ volatile("movl %0, %%ds; movl %0, %%es; pushl %0; pushl $0x74000; pushl %1; pushl %2; "
                     "pushl %3; iretl" ::"r"(SEL_UDATA),
                     "r"(eflags), "r"(SEL_UCODE), "r"(fn));
}

void user_calls(void);
__asm__(
    "user_calls:\n  pushl $0x1234\n  pushl $0x5678\n  lcall $51, $0\n  movl %esp, %edx\n  int3\n");
void user_hlt(void);
__asm__("user_hlt:\n  hlt\n");
void user_int(void);
__asm__("user_int:\n  int $13\n");
void user_out(void);
__asm__("user_out:\n  movl $0x80, %edx\n  outb %al, %dx\n  int3\n");
void user_out2(void);
__asm__("user_out2:\n  movl $0x87, %edx\n  outw %ax, %dx\n  int3\n");
void user_conform(void);
__asm__(
    "user_conform:\n  movl $conforming, %eax\n  pushl $83\n  pushl %eax\n  lcall *(%esp)\n  int3\n"
    "conforming:\n  movl %cs, %ecx\n  int3\n");
void user_inner(void);
__asm__("user_inner:\n  lcall $8, $gate_target\n");
void user_retf(void);
__asm__("user_retf:\n  pushl $8\n  pushl $0\n  lretl\n");
void user_cli(void);
__asm__("user_cli:\n  cli\n");

static void levels(void)
{
    EXPECT("call gate from level 3", 3, 0, user(2, user_calls));
    ok(seen[0] == 0x5678 && seen[1] == 0x1234, "parameters are copied");
    ok(seen[2] == 0x74000 - 8 && seen[3] == SEL_CODE, "the outer ESP lies behind them");
    ok(caught_frame.edx == 0x74000 && caught_frame.cs == SEL_UCODE,
       "and the return takes them from both stacks");
    ok(caught_frame.ss == SEL_UDATA, "SS is the outer one");
    EXPECT("HLT at level 3", 13, 0, user(2, user_hlt));
    EXPECT("INT of a gate with DPL 0", 13, 13 * 8 + 2, user(2, user_int));
    EXPECT("CLI above IOPL", 13, 0, user(2, user_cli));
    EXPECT("port without permission", 13, 0, user(2, user_out));
    tss.io[0x80 / 8] = 0xfe;
    EXPECT("port with permission", 3, 0, user(2, user_out));
    tss.io[0x80 / 8] = 0x7f;
    EXPECT("a word whose second byte has none", 13, 0, user(2, user_out2));
    tss.io[0x80 / 8] = 0xff;
    EXPECT("IOPL 3", 3, 0, user(0x3002, user_out));
    EXPECT("conforming code keeps the level", 3, 0, user(2, user_conform));
    ok(caught_frame.ecx == C_CONFORM + 3, "which CS shows");
    EXPECT("a call to inner code", 13, SEL_CODE, user(2, user_inner));
    EXPECT("a gate to nothing", 13, 0, __asm__ volatile("lcall $88, $0"));
    gdt[G_NULL / 8] = gate(0x1f0, 0, 0x8c, 0);
    EXPECT("a gate beyond the table", 13, 0x1f0 > 0x1ff ? 0 : 0x1f0,
           __asm__ volatile("lcall $88, $0"));
    gdt[G_NULL / 8] = gate(SEL_CODE, 0, 0x0c, 0);
    EXPECT("a gate that is not present", 11, G_NULL, __asm__ volatile("lcall $88, $0"));
    EXPECT("a data segment as target", 13, SEL_DATA, __asm__ volatile("lcall $16, $0"));
    EXPECT("RETF to an inner level", 13, SEL_CODE, user(2, user_retf));
}

static void other_task(void)
{
    for (;;) {
        seen[0]++;
        seen[1] = tss.eip;
        seen[2] = other.back;
        __asm__ volatile("pushfl; popl %0; movl %%esp, %1" : "=r"(seen[3]), "=r"(seen[4]));
        __asm__ volatile("str %0" : "=r"(seen[5]));
        __asm__ volatile("iretl");
    }
}

static void tasks(void)
{
    uint32_t cr0;

    other.eip = (uint32_t)other_task;
    other.eflags = 2;
    other.esp = (uint32_t)other_stack + sizeof(other_stack);
    other.cs = SEL_CODE;
    other.ss = other.ds = other.es = SEL_DATA;
    other.io_base = 0x68;
    seen[0] = 0;
    EXPECT("CALL of a TSS and IRET", -1, 0,
           __asm__ volatile("lcall $64, $0" ::
                                : "memory", "eax", "ecx", "edx"));
    ok(seen[0] == 1 && seen[2] == SEL_TSS, "the link names the first task");
    ok(seen[3] & 0x4000 && seen[5] == T_OTHER, "NT is set, TR is the other");
    ok((gdt[T_OTHER / 8] >> 40 & 15) == 9 && (gdt[SEL_TSS / 8] >> 40 & 15) == 11,
       "busy bits are right again");
    __asm__ volatile("movl %%cr0, %0" : "=r"(cr0));
    ok(cr0 & 8, "CR0.TS is set");
    __asm__ volatile("clts");
    EXPECT("the task goes on where it was, by a task gate", -1, 0,
           __asm__ volatile("lcall $56, $0" ::
                                : "memory", "eax", "ecx", "edx"));
    ok(seen[0] == 2, "it did");
    idt[0x40] = gate(T_OTHER, 0, 0x85, 0);
    EXPECT("by an interrupt", -1, 0,
           __asm__ volatile("int $0x40" ::
                                : "memory", "eax", "ecx", "edx"));
    ok(seen[0] == 3, "it did too");
    gdt[T_OTHER / 8] |= 2ull << 40;
    EXPECT("a busy task", 13, T_OTHER, __asm__ volatile("lcall $64, $0"));
    gdt_set(T_OTHER, segment((uint32_t)&other, 0x66, 0x89, 0));
    EXPECT("a TSS that is too short", 10, T_OTHER, __asm__ volatile("lcall $64, $0"));
    gdt_set(T_OTHER, segment((uint32_t)&other, sizeof(other) - 1, 0x09, 0));
    EXPECT("a TSS that is not present", 11, T_OTHER, __asm__ volatile("lcall $64, $0"));
    EXPECT("LTR of a busy one", 13, SEL_TSS, __asm__ volatile("ltr %w0" ::"r"(SEL_TSS)));
    EXPECT("LTR of data", 13, SEL_DATA, __asm__ volatile("ltr %w0" ::"r"(SEL_DATA)));
    EXPECT("LLDT of a TSS", 13, T_OTHER, __asm__ volatile("lldt %w0" ::"r"(T_OTHER)));
    EXPECT("LLDT", -1, 0,
           __asm__ volatile("lldt %w0; movl %1, %%gs; movl %%gs:0, %%eax" ::"r"(D_LDT), "r"(4 + 8)
                            : "eax"));
    EXPECT("beyond the LDT", 13, 4 + 16, __asm__ volatile("movl %0, %%gs" ::"r"(4 + 16)));
    __asm__ volatile("movl %0, %%gs; lldt %w1" ::"r"(SEL_DATA), "r"(0));
}

static uint64_t ldt[2];

void tests(void)
{
    gdt_set(G_CALL, gate(SEL_CODE, (uint32_t)gate_target, 0xec, 2));
    gdt_set(G_TASK, gate(T_OTHER, 0, 0xe5, 0));
    gdt_set(T_OTHER, segment((uint32_t)&other, sizeof(other) - 1, 0x89, 0));
    gdt_set(C_CONFORM, segment(0, 0xfffff, 0x9f, 12));
    gdt_set(G_NULL, gate(0, 0, 0x8c, 0));
    gdt_set(D_LDT, segment((uint32_t)ldt, sizeof(ldt) - 1, 0x82, 0));
    ldt[1] = segment(0, 0xfffff, 0x93, 12);
    levels();
    tasks();
}
