// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The same code at many addresses, as a system shows programs that it loads at random ones: two
 * pages that user code runs in are mapped over and over again, and what depends on the address
 * (RIP-relative operands, return addresses, jumps inside and over the pages, exceptions) is held
 * against what it must be. In between the code is changed.
 */
#include "bare64.h"

#define ALIAS(n) (0x100000000ull + (uint64_t)(n) * 0x2000)
enum {
    PLACE = 0x500000,
    RESULTS = 0x600000,
    STACK = 0x700000,
    DIRECTORY = 0x400000,
    TABLE = 0x401000
};

/*
 * Offsets from the blob's start are what its labels are for; `over` crosses into the second page.
 */
extern const char blob[], blob_next[], blob_back[], blob_far[], blob_data[], blob_over[],
    blob_fault[], blob_ud[], blob_patch[], blob_behind[], blob_end[];
__asm__(".text\n.balign 16\n"
        "blob: leaq blob(%rip), %rax\n movq %rax, (%rdi)\n"
        "call blob_next\n"
        "blob_next: popq %rax\n movq %rax, 8(%rdi)\n"
        "xorl %eax, %eax\n movl $4000, %ecx\n"
        "1: leaq blob_back(%rip), %rdx\n addq %rdx, %rax\n testl $7, %ecx\n jz 2f\n addq $1, %rax\n"
        "blob_back: decl %ecx\n jnz 1b\n movq %rax, 16(%rdi)\n jmp 3f\n"
        "2: subq blob_data(%rip), %rax\n jmp blob_back\n"
        "3: leaq blob_far(%rip), %rax\n call *%rax\n movq %rax, 24(%rdi)\n"
        "movl $1000, %ecx\n"
        "4: call blob_far\n decl %ecx\n jnz 4b\n movq %rax, 32(%rdi)\n"
        "blob_patch: movl $0, %eax\n movq %rax, 40(%rdi)\n"
        "leaq 5f(%rip), %rax\n jmp *%rax\n"
        "5: leal blob_data(%rip), %eax\n movq %rax, 48(%rdi)\n"
        "call blob_over\n movq %rax, 56(%rdi)\n"
        "movl $3000, %ecx\n leaq blob_jump(%rip), %rdx\n"
        "6: call blob_near\n"
        "blob_behind: jmp *%rdx\n"
        "7: decl %ecx\n jnz 6b\n movq %rax, 64(%rdi)\n"
        "movabsq $0x123456789000, %rdx\n movl $7, %eax\n"
        "blob_fault: movq (%rdx), %rax\n"
        "blob_ud: ud2\n"
        "blob_near: movq (%rsp), %rax\n ret\n"
        "blob_jump: addq $1, %rax\n jmp 7b\n"
        ".balign 8\nblob_data: .quad 0x1111\n"
        ".org blob + 0xffb\n"
        "blob_over: leaq blob(%rip), %rax\n"            /* seven bytes */
        "ret\n"
        ".org blob + 0x1800\n"
        "blob_far: movq (%rsp), %rax\n ret\n"
        "blob_end:\n");

static volatile uint64_t gdt[8];
static volatile uint32_t tss[26];
static volatile uint64_t fault_rip, ud_rip, fault_address;
uint64_t back_rsp, back_rbp;
void user_back(void);

static bool trap(Frame64 *f)
{
    if (f->vector == 14) {
        fault_rip = f->rip;
        __asm__ volatile("movq %%cr2, %0" : "=r"(fault_address));
        f->rip += (uint64_t)(blob_ud - blob_fault);
        return true;
    }
    ud_rip = f->rip;
    f->rip = (uint64_t)user_back;
    f->cs = 24;
    f->ss = 16;
    f->rsp = back_rsp;
    return f->vector == 6;
}

static void run(uint64_t rip)
{
    uint64_t stack = STACK, results = RESULTS;

    __asm__ volatile("pushq %%rbp; pushq %%rbx; movq %%rsp, back_rsp; movq %%rbp, back_rbp\n"
                     "pushq $0x23; pushq %%rcx; pushq $2; pushq $0x2b; pushq %%rax; iretq\n"
                     "user_back: movq back_rbp, %%rbp; popq %%rbx; popq %%rbp"
                     : "+a"(rip), "+c"(stack), "+D"(results)::"rdx", "rsi", "r8", "r9", "r10",
                       "r11", "r12", "r13", "r14", "r15", "memory", "cc");
}

static void prepare(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } gdtr = {sizeof(gdt) - 1, (uint64_t)gdt};
    uint64_t base = (uint64_t)tss, stack = STACK - 0x8000;

    gdt[1] = 0x00cf9b000000ffff;
    gdt[2] = 0x00cf93000000ffff;
    gdt[3] = 0x00af9b000000ffff;
    gdt[4] = 0x00cff3000000ffff;
    gdt[5] = 0x00affb000000ffff;
    tss[1] = (uint32_t)stack;
    gdt[6] = 0x67 | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[7] = base >> 32;
    __asm__ volatile("lgdt %0; ltr %w1" ::"m"(gdtr), "r"(0x30));
    for (unsigned n = 0; n < 512; n++) {
        ((volatile uint64_t *)DIRECTORY)[n] = 0;
        ((volatile uint64_t *)TABLE)[n] = (PLACE + (n & 1) * 0x1000) | 7;
    }
    *(volatile uint64_t *)DIRECTORY = TABLE | 7;
    *(volatile uint64_t *)0x91020 = DIRECTORY | 7;
    for (const char *p = blob; p < blob_end; p++) {
        ((volatile char *)PLACE)[p - blob] = *p;
    }
    __asm__ volatile("movq %%cr3, %%rax; movq %%rax, %%cr3" ::: "rax", "memory");
}

static bool round_at(uint64_t at, uint32_t patch)
{
    volatile uint64_t *r = (volatile uint64_t *)RESULTS;
    uint64_t sum = 0;
#define AT(label) (at + (uint64_t)(label - blob))

    for (unsigned n = 0; n < 9; n++) {
        r[n] = 0x5555;
    }
    *(volatile uint32_t *)(PLACE + (blob_patch - blob) + 1) = patch;
    run(at);
    for (unsigned n = 4000; n > 0; n--) {
        sum += AT(blob_back) + (n & 7 ? 1 : -0x1111ull);
    }
    /* what the calls of blob_far return to: the instruction behind each, within the first page */
    bool good = r[0] == at && r[1] == AT(blob_next) && r[2] == sum && r[3] - at < 0x200 &&
                r[4] - r[3] < 0x20 && r[4] > r[3];
    good &= r[5] == patch && r[6] == (uint32_t)AT(blob_data) && r[7] == at &&
            r[8] == AT(blob_behind) + 1;
    good &= fault_rip == AT(blob_fault) && fault_address == 0x123456789000 && ud_rip == AT(blob_ud);
    if (!good) {
        note("at", at);
        for (unsigned n = 0; n < 9; n++) {
            note("result", r[n]);
        }
        note("fault", fault_rip);
        note("end", ud_rip);
    }
    return good;
}

void cpu_tests(unsigned cpu)
{
    bool good = true;

    if (cpu) {
        return;
    }
    prepare();
    on_trap = trap;
    ok(round_at(PLACE, 1), "where it lies");
    ok(round_at(ALIAS(0), 2), "at another address");
    ok(round_at(PLACE, 3), "again where it lies");
    for (unsigned n = 1; n < 40; n++) {
        good &= round_at(ALIAS(n * 7 % 250), 3);
    }
    ok(good, "at many addresses");
    for (unsigned n = 0; n < 20; n++) {
        good &= round_at(ALIAS(n % 5), n);
    }
    ok(good, "changed in between");
    /*
     * the second page of an alias is now another one's, so that code that goes over must not be
     * what it was
     */
    ((volatile uint64_t *)TABLE)[1] = (PLACE + 0x2000) | 7;
    for (unsigned n = 0; n < 0x1000; n++) {
        ((volatile char *)PLACE)[0x2000 + n] = ((volatile char *)PLACE)[0x1000 + n];
    }
    __asm__ volatile("movq %%cr3, %%rax; movq %%rax, %%cr3" ::: "rax", "memory");
    ok(round_at(ALIAS(0), 9) && round_at(ALIAS(1), 10) && round_at(ALIAS(0), 11),
       "over the end into different pages");
}
