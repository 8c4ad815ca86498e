// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real mode: addresses that wrap and those that do not, limits, interrupts by the table at 0, what
 * is not there, A20, and segments that keep a limit of 4 GiB from protected mode ("unreal"). SDM 3B
 * 20.1; 3A 9.9.2.
 *
 * 16-bit tests run at F000:xxxx with DS = ES = 0, SS:SP = 7000:8000. Each leaves a byte: 1 if it is
 * well.
 */
#include "bare.h"

#define RESULTS ((volatile uint8_t *)0x7200)
enum {
    SEL_CODE16 = 48,
    SEL_DATA16 = 56
};
void run16(void (*fn)(void));

/* 7100h: vector, 7102h: IP, 7104h: CS, 7106h: flags as pushed; 7110h, 7114h: where to go on. */
__asm__(
    ".text\n"
    "run16:\n"
    "  pushal\n  movl 36(%esp), %ebx\n  subl $0xf0000, %ebx\n  movl %esp, 0x7120\n  sidt 0x7128\n"
    "  lidtl real_idt\n  ljmp $48, $1f - 0xf0000\n"
    ".code16\n"
    "1: movw $56, %ax\n  movw %ax, %ds\n  movw %ax, %es\n  movw %ax, %ss\n  movl $0x6000, %esp\n  "
    "movw %ax, %fs\n  movw %ax, %gs\n"
    "  movl %cr0, %eax\n  andl $~1, %eax\n  movl %eax, %cr0\n  movl $2f, %eax\n  pushw $0xf000\n  "
    "pushw %ax\n  lretw\n"
    "2: xorw %ax, %ax\n  movw %ax, %ds\n  movw %ax, %es\n  movw %ax, %fs\n  movw %ax, %gs\n"
    "  movw $0x7000, %ax\n  movw %ax, %ss\n  movl $0x8000, %esp\n  cld\n  call *%bx\n"
    "  xorw %ax, %ax\n  movw %ax, %ds\n"
    "  movl %cr0, %eax\n  orl $1, %eax\n  movl %eax, %cr0\n  ljmpl $8, $3f\n"
    ".code32\n"
    "3: movl $16, %eax\n  movl %eax, %ds\n  movl %eax, %es\n  movl %eax, %ss\n  movl %eax, %fs\n  "
    "movl %eax, %gs\n"
    "  movl 0x7120, %esp\n  lidtl 0x7128\n  popal\n  ret\n"
    "real_idt: .word 0x3ff\n  .long 0\n"
    "short_idt: .word 0x3f\n  .long 0\n"
    ".code16\n.balign 8\n"
    "real_stubs:\n  .set n, 0\n  .rept 64\n  .balign 8\n  pushw $n\n  jmp real_trap\n  .set n, n + "
    "1\n  .endr\n"
    "real_trap:\n  pushw %ds\n  pushw $0\n  popw %ds\n  popw 0x7108\n  popw 0x7100\n  popw "
    "0x7102\n  popw 0x7104\n"
    "  popw 0x7106\n  movw 0x7114, %sp\n  pushw 0x7110\n  ret\n"
    /* TRY16: what follows is tried up to label 99; AX is spoilt */
    ".macro try16\n  movw $0xff, 0x7100\n  movl $99f, 0x7110\n  movw %sp, 0x7114\n.endm\n"
    /* the vector is v; or that, raised at label 98 */
    ".macro expect n, v\n  pushw $0\n  popw %ds\n  cmpw $\\v, 0x7100\n  sete 0x7200 + \\n\n.endm\n"
    ".macro expect_at n, v\n  pushw $0\n  popw %ds\n  movl $98b, %eax\n  cmpw %ax, 0x7102\n  jne "
    "97f\n"
    "  cmpw $\\v, 0x7100\n  sete 0x7200 + \\n\n97:\n.endm\n"
    ".code32\n");

/* Vectors, and where they were raised. */
void limits16(void);
__asm__(".code16\nlimits16:\n"
        "  movw $0xffff, %bx\n"
        "  try16\n98: movw (%bx), %ax\n99: expect_at 0, 13\n"
        "  try16\n98: movb (%bx), %al\n99: expect 1, 0xff\n"
        "  movw $0xffff, %bp\n"
        "  try16\n98: movw %ax, (%bp)\n99: expect_at 2, 12\n"
        "  try16\n98: movl %es:0xfffd, %eax\n99: expect_at 3, 13\n"
        "  movw $0xffff, %bx\n  movw $0x7205, %si\n" /* bx + si wraps to 7204h */
        "  movb $1, (%bx,%si)\n"
        "  movw $0xffff, %si\n  movw $2, %cx\n"
        "  try16\n  lodsb\n99: cmpw $0, %si\n  sete 0x7205\n"
        "  movw $0xfffd, %si\n  movw $0x7300, %di\n  movw $3, %cx\n"
        "  try16\n98: rep movsw\n99: expect_at 6, 13\n"
        "  cmpw $2, %cx\n  sete 0x7207\n"
        "  movl $0x10000, %ebx\n"
        "  try16\n98: movb (%ebx), %al\n99: expect_at 8, 13\n"
        "  movl $0x1ffff, %ebx\n  movl $0x7201, %esi\n"
        "  try16\n98: movb (%ebx,%esi), %al\n99: expect_at 9, 13\n"
        "  leaw (%bx,%si), %ax\n  cmpw $0x7200, %ax\n  sete 0x720a\n"
        "  movw %sp, %dx\n  xorw %sp, %sp\n  pushw %ax\n  cmpw $0xfffe, %sp\n  sete 0x720b\n  movw "
        "%dx, %sp\n"
        /* fetching beyond FFFFh: the byte at 2000:FFFF is NOP */
        "  movw $0x2000, %ax\n  movw %ax, %es\n  movb $0x90, %es:0xffff\n"
        "  try16\n  ljmp $0x2000, $0xffff\n99: expect 12, 13\n"
        "  ret\n.code32\n");

void tables16(void);
__asm__(
    ".code16\ntables16:\n"
    "  sti\n  pushw $0x300\n  popw %ax\n"
    "  try16\n98: int $0x21\n99: cmpw $0x21, 0x7100\n  sete 0x7200\n"
    "  testw $0x200, 0x7106\n  setnz 0x7201\n"
    "  movl $98b + 2, %eax\n  cmpw %ax, 0x7102\n  sete 0x7202\n  cmpw $0xf000, 0x7104\n  sete "
    "0x7203\n"
    "  pushfw\n  popw %ax\n  testw $0x200, %ax\n  setz 0x7204\n" /* INT has cleared IF */
    "  movl $short_idt, %eax\n  movw %ax, %bx\n  lidtl %cs:(%bx)\n"
    "  try16\n98: int $0x21\n99: expect_at 5, 13\n"
    "  movl $real_idt, %eax\n  movw %ax, %bx\n  lidtl %cs:(%bx)\n"
    "  xorw %cx, %cx\n  try16\n98: divw %cx\n99: expect_at 6, 0\n"
    "  movb $0x7f, %al\n  addb $1, %al\n  try16\n98: into\n99: expect 7, 4\n"
    "  try16\n98: int3\n99: expect 8, 3\n"
    "  movw $5, 0x7300\n  movw $7, 0x7302\n  movw $8, %ax\n"
    "  try16\n98: boundw %ax, 0x7300\n99: expect_at 9, 5\n"
    "  pushfl\n  popl %eax\n  orl $0x7000, %eax\n  pushl %eax\n  popfl\n  pushfl\n  popl %eax\n  "
    "andl $0x7000, %eax\n"
    "  cmpl $0x7000, %eax\n  sete 0x720a\n  pushl $2\n  popfl\n"
    "  movl $2f, %eax\n  pushw $2\n  pushw $0xf000\n  pushw %ax\n  iretw\n2: movb $1, 0x720b\n"
    "  pushl $2\n  pushl $0xf000\n  movl $3f, %eax\n  movzwl %ax, %eax\n  pushl %eax\n  iretl\n3: "
    "movb $1, 0x720c\n"
    "  pushl $0xf000\n  movl $4f, %eax\n  movzwl %ax, %eax\n  pushl %eax\n  lretl\n4: movb $1, "
    "0x720d\n"
    "  pushl $0xf000\n  pushl $0x12345\n  try16\n98: lretl\n99: addw $8, %sp\n  expect_at 14, 13\n"
    "  ret\n.code32\n");

void missing16(void);
__asm__(".code16\nmissing16:\n"
        "  try16\n98: sldtw %ax\n99: expect_at 0, 6\n"
        "  try16\n98: strw %ax\n99: expect_at 1, 6\n"
        "  try16\n98: larw %ax, %ax\n99: expect_at 2, 6\n"
        "  try16\n98: verr %ax\n99: expect_at 3, 6\n"
        "  try16\n98: .byte 0x63, 0xc0\n99: expect_at 4, 6\n"
        "  try16\n98: smsww %ax\n99: expect 5, 0xff\n"
        "  try16\n98: .byte 0xf0, 0x89, 0x07\n99: expect_at 6, 6\n"
        "  try16\n98: movw %ax, %cs\n99: expect_at 7, 6\n"
        "  try16\n98: .byte 0xc5, 0xf8, 0x77\n99: expect_at 8, 6\n" /* VEX is LDS there, or #UD */
        "  try16\n98: .byte 0x0f, 0x34\n99: expect_at 9, 13\n" /* SYSENTER */
        "  movb $0x0f, %al\n  pushw %ax\n  popw %ax\n  clts\n  movb $1, 0x720a\n"
        "  movl $0x10002, %ecx\n  xorw %dx, %dx\n1: incw %dx\n  loop 1b\n  cmpw $2, %dx\n  sete "
        "0x720b\n"
        "  movl $0x10002, %ecx\n  xorl %edx, %edx\n1: incl %edx\n  .byte 0x67\n  loop 1b\n  cmpl "
        "$0x10002, %edx\n  sete 0x720c\n"
        "  movl $0x10000, %ecx\n  xorw %ax, %ax\n  jcxz 1f\n  jmp 2f\n1: movb $1, 0x720d\n2:\n"
        "  ret\n.code32\n");

/* DS with a limit of 4 GiB, loaded in protected mode: base changes, limit stays. */
void unreal16(void);
__asm__(".code16\nunreal16:\n"
        "  cli\n  movl $0x110000, %ebx\n"
        "  try16\n98: movl (%ebx), %eax\n99: expect_at 0, 13\n"
        "  movl $unreal_gdtr, %eax\n  movw %ax, %di\n  lgdtl %cs:(%di)\n"
        "  movl %cr0, %eax\n  orb $1, %al\n  movl %eax, %cr0\n  jmp 1f\n1: movw $16, %cx\n  movw "
        "%cx, %ds\n"
        "  andb $0xfe, %al\n  movl %eax, %cr0\n  jmp 1f\n1: xorw %cx, %cx\n  movw %cx, %ds\n"
        "  try16\n98: movl $0x12345678, (%ebx)\n99: expect 1, 0xff\n"
        "  cmpl $0x12345678, (%ebx)\n  sete 0x7202\n"
        "  movw $0x1000, %ax\n  movw %ax, %ds\n  cmpl $0x12345678, -0x10000(%ebx)\n  pushw $0\n  "
        "popw %ds\n  sete 0x7203\n"
        "  movl %ebx, %esi\n  movl $0x7300, %edi\n  movl $1, %ecx\n  try16\n98: .byte 0x67\n  rep "
        "movsl\n99: expect 4, 0xff\n"
        "  cmpl $0x12345678, 0x7300\n  sete 0x7205\n"
        "  try16\n98: movl %es:(%ebx), %eax\n99: expect_at 6, 13\n" /* ES has its own */
        "  int $0x20\n"
        "  movb $1, 0x7207\n"
        "  ret\n"
        "unreal_gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
        "unreal_gdtr: .word 23\n  .long unreal_gdt\n"
        "unreal_int: iretw\n.code32\n");

/* With A20 off (port 92h) FFFF:0010 is 0:0. */
void a20_16(void);
__asm__(
    ".code16\na20_16:\n"
    "  movw $0xffff, %ax\n  movw %ax, %es\n"
    "  movw $0x1111, 0x7300\n  movw $0x2222, %es:0x7310\n  cmpw $0x1111, 0x7300\n  sete 0x7200\n"
    "  inb $0x92, %al\n  andb $0xfc, %al\n  outb %al, $0x92\n"
    "  cmpw $0x1111, %es:0x7310\n  sete 0x7201\n  movw $0x3333, %es:0x7310\n  cmpw $0x3333, "
    "0x7300\n  sete 0x7202\n"
    "  inb $0x92, %al\n  orb $2, %al\n  outb %al, $0x92\n"
    "  cmpw $0x2222, %es:0x7310\n  sete 0x7203\n  cmpw $0x3333, 0x7300\n  sete 0x7204\n"
    "  ret\n.code32\n");

extern const char real_stubs[], unreal_int[];

static void run(void (*fn)(void), const char *const *names)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint32_t base;
    } r;

    __asm__ volatile("sgdtl %0" : "=m"(r));
    for (unsigned k = 0; k < 64; k++) {
        RESULTS[k] = 0;
        ((volatile uint32_t *)0)[k] = 0xf0000000 | ((uint32_t)real_stubs + 8 * k - 0xf0000);
    }
    ((volatile uint32_t *)0)[0x20] = 0xf0000000 | ((uint32_t)unreal_int - 0xf0000);
    run16(fn);
    __asm__ volatile("lgdtl %0" ::"m"(r));
    caught = -1;
    for (unsigned k = 0; names[k]; k++) {
        ok(RESULTS[k] == 1, names[k]);
    }
}

void tests(void)
{
    static const char *const limits[] = {"a word at FFFFh",
                                         "a byte there",
                                         "by BP it is #SS",
                                         "a double word at FFFDh",
                                         "16-bit addresses wrap",
                                         "SI wraps in a string",
                                         "REP MOVSW stops at the end",
                                         "having counted",
                                         "a 32-bit address above the limit",
                                         "whose sum does not wrap",
                                         "LEA of 16 bits does",
                                         "PUSH wraps",
                                         "code does not",
                                         0};
    static const char *const ivt[] = {"INT 21h",
                                      "flags are pushed",
                                      "IP behind it",
                                      "and CS",
                                      "IF is cleared",
                                      "a table that is too short",
                                      "#DE points at the division",
                                      "INTO",
                                      "INT3",
                                      "BOUND",
                                      "NT and IOPL can be set",
                                      "IRET",
                                      "IRETL",
                                      "RETFL",
                                      "to beyond the limit",
                                      0};
    static const char *const gone[] = {"SLDT",
                                       "STR",
                                       "LAR",
                                       "VERR",
                                       "ARPL",
                                       "SMSW is there",
                                       "LOCK MOV",
                                       "MOV to CS",
                                       "VEX",
                                       "SYSENTER",
                                       "CLTS is there",
                                       "LOOP counts in CX",
                                       "with 67h in ECX",
                                       "JCXZ",
                                       0};
    static const char *const unreal[] = {
        "above 64 KiB without it",       "and with it",          "data is there",
        "another base, the same limit",  "a string with 67h",    "has copied",
        "other segments have their own", "interrupts come back", 0};
    static const char *const a20[] = {"A20 on: two places", "off: the same one",
                                      "written by either",  "on again: two",
                                      "both are kept",      0};

    gdt_set(SEL_CODE16, segment(0xf0000, 0xffff, 0x9b, 0));
    gdt_set(SEL_DATA16, segment(0, 0xffff, 0x93, 0));
    run(limits16, limits);
    run(tables16, ivt);
    run(missing16, gone);
    run(unreal16, unreal);
    run(a20_16, a20);
}
