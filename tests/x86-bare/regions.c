// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hot code with more of everything than is translated at once: calls to return from, ways out,
 * instructions.
 */
#include "bare64.h"

uint64_t many_calls(uint64_t rounds);
__asm__(".text\n.balign 4096\n"
        "many_calls: xorl %eax, %eax\n"
        "1:\n"
        ".rept 40\n testq %rdi, %rdi\n js 3f\n .endr\n"
        ".rept 3\n call 2f\n addq $1, %rax\n .endr\n"
        "call 4f\n addq $2, %rax\n"
        "call 5f\n addq $3, %rax\n"
        "call 6f\n addq $4, %rax\n"
        "decq %rdi\n jnz 1b\n ret\n"
        "2: addq $2, %rax\n ret\n"
        "3: xorl %eax, %eax\n ret\n"
        "4: .rept 200\n cmc\n .endr\n ret\n"
        "5: .rept 180\n cmc\n .endr\n ret\n"
        "6: .rept 220\n cmc\n .endr\n ret\n"
        ".balign 4096\n");

void cpu_tests(unsigned cpu)
{
    if (cpu) {
        return;
    }
    ok(many_calls(20000) == 20000ull * 18, "calls in a loop");
    ok(many_calls(20000) == 20000ull * 18, "again");
    ok(many_calls(-1ull) == 0, "a way out");
}
