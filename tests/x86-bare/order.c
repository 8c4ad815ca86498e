// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which of several faults of an instruction is reported, and what it leaves behind: limits and
 * types before paging, permission before operands, checks of selectors in their order, error codes
 * of task switches. SDM 3A 6.9, 5.3 to 5.8, 7.3; SDM 2 under each instruction.
 */
#include "bare.h"

enum {
    UNMAPPED = 0x10000000,
    READ_ONLY = 0x10400000,
    SEL_SMALL = 80, /* limit fffh, base at the end of what is mapped */
    SEL_CONST = 88, /* read-only data over what is not mapped */
    SEL_GONE = 96, /* not present, DPL 3 */
    SEL_INNER = 104, /* not present, DPL 0 */
    SEL_HIGH = 112, /* base at UNMAPPED */
    SEL_NEXT = 120, /* a task */
    SEL_TABLE = 128, /* its LDT */
    SEL_CODE3 = 136,
    SEL_HANDLER = 144,
    USER_CODE = 0x61000,
    USER_STACK = 0x74000,
};
static uint32_t directory[1024] __attribute__((aligned(4096)));
extern const char trap_stubs[];
static Tss next;
static uint8_t next_stack[4096];

static uint32_t cr2(void)
{
    uint32_t v;

    __asm__ volatile("movl %%cr2, %0" : "=r"(v));
    return v;
}

static void set_cr2(uint32_t v)
{
    __asm__ volatile("movl %0, %%cr2" ::"r"(v));
}

static void paging(void)
{
    for (unsigned k = 0; k < 1024; k++) {
        directory[k] = k << 22 | 0x87;
    }
    directory[UNMAPPED >> 22] = 0;
    directory[READ_ONLY >> 22] = 0x00400085;
    __asm__ volatile("movl %0, %%cr3; movl %%cr4, %%eax; orl $0x10, %%eax; movl %%eax, %%cr4;"
                     "movl %%cr0, %%eax; orl $0x80010000, %%eax; movl %%eax, %%cr0" ::"r"(directory)
                     : "eax", "memory");
    gdt_set(SEL_SMALL, segment(UNMAPPED - 0x800, 0xfff, 0x93, 4));
    gdt_set(SEL_CONST, segment(UNMAPPED, 0xfffff, 0x91, 12));
    gdt_set(SEL_GONE, segment(0, 0xfffff, 0x73, 12));
    gdt_set(SEL_INNER, segment(0, 0xfffff, 0x13, 12));
    gdt_set(SEL_HIGH, segment(UNMAPPED, 0xfffff, 0x93, 12));
    gdt_set(SEL_CODE3, segment(0, 0xfffff, 0xfb, 12));
}

static void limits(void)
{
    load_ds(SEL_DATA);
    set_cr2(0x55);
    __asm__ volatile("movl %0, %%gs" ::"r"(SEL_SMALL));
    EXPECT("below the limit paging is asked", 14, 0,
           __asm__ volatile("movb %%gs:0x900, %%al" ::
                                : "eax"));
    ok(cr2() == UNMAPPED + 0x100, "CR2");
    set_cr2(0x55);
    __asm__ volatile("movl %0, %%gs" ::"r"(SEL_SMALL));
    EXPECT("above it is not", 13, 0, __asm__ volatile("movb %%gs:0x1000, %%al" ::: "eax"));
    ok(cr2() == 0x55, "CR2 is as before");
    __asm__ volatile("movl %0, %%gs" ::"r"(SEL_SMALL));
    EXPECT("an operand that ends above", 13, 0,
           __asm__ volatile("movl %%gs:0xffd, %%eax" ::
                                : "eax"));
    __asm__ volatile("movl %0, %%gs" ::"r"(SEL_CONST));
    EXPECT("a segment for reading, written", 13, 0, __asm__ volatile("movb %%al, %%gs:0" ::));
    ok(cr2() == 0x55, "before paging");
    __asm__ volatile("movl %0, %%gs" ::"r"(SEL_CONST));
    EXPECT("read", 14, 0, __asm__ volatile("movb %%gs:4, %%al" ::: "eax"));
    __asm__ volatile("movl %0, %%gs" ::"r"(0));
    EXPECT("a null segment", 13, 0, __asm__ volatile("movb %%gs:0x10000000, %%al" ::: "eax"));
}

static void operands(void)
{
    EXPECT("LOCK that is not allowed", 6, 0,
           __asm__ volatile(".byte 0xf0; cmpl %%eax, 0x10000000" ::
                                : "cc"));
    EXPECT("read and written: the error code says written", 14, 2,
           __asm__ volatile("addl $1, 0x10000000" ::
                                : "cc", "memory"));
    EXPECT("of a page that is there but read-only", 14, 3,
           __asm__ volatile("addl $1, 0x10400000" ::
                                : "cc", "memory"));
    EXPECT("CMPXCHG that does not match, too", 14, 3,
           __asm__ volatile("lock cmpxchgl %%ecx, 0x10400000" ::"a"(0x12345), "c"(0)
                            : "cc", "memory"));
    EXPECT("XCHG", 14, 3, __asm__ volatile("xchgl %%ecx, 0x10400000" ::"c"(0) : "memory"));
    EXPECT("BT reads", -1, 0, __asm__ volatile("btl $1, 0x10400000" ::: "cc"));
    EXPECT("a divisor that is not there", 14, 0,
           __asm__ volatile("divl 0x10000000" ::"a"(0), "d"(5)
                            : "cc"));
    EXPECT("MOVS: the source first", 14, 0,
           __asm__ volatile("movsb" ::"S"(UNMAPPED), "D"(READ_ONLY)
                            : "memory"));
    EXPECT("then the destination", 14, 3,
           __asm__ volatile("movsb" ::"S"(0x60000), "D"(READ_ONLY)
                            : "memory"));
    ok(caught_frame.esi == 0x60000 && caught_frame.edi == READ_ONLY, "registers are as before");
    EXPECT("REP MOVS stops where it faults", 14, 2,
           __asm__ volatile("cld; rep movsb" ::"S"(0x60000), "D"(UNMAPPED - 5), "c"(9)
                            : "memory"));
    ok(caught_frame.ecx == 4 && caught_frame.esi == 0x60005 && caught_frame.edi == UNMAPPED,
       "and counts");
    EXPECT(
        "FPU: #NM before its operand", 7, 0,
        __asm__ volatile("movl %%cr0, %%eax; orl $8, %%eax; movl %%eax, %%cr0; fldl 0x10000000" ::
                             : "eax"));
    __asm__ volatile("clts");
    EXPECT(
        "SSE: alignment before paging", 13, 0,
        __asm__ volatile(
            "movl %%cr4, %%eax; orl $0x200, %%eax; movl %%eax, %%cr4; movaps 0x10000008, %%xmm0" ::
                : "eax"));
    EXPECT("PUSH of what is not there", 14, 0, __asm__ volatile("pushl 0x10000000"));
}

/* At CPL 3: the code, then INT3. */
static void user(const char *bytes, unsigned len)
{
    volatile uint8_t *p = (volatile uint8_t *)USER_CODE;

    for (unsigned k = 0; k < len; k++) {
        p[k] = (uint8_t)bytes[k];
    }
    p[len] = 0xcc;
    __asm__ volatile(
        "movl %0, %%ds; movl %0, %%es; pushl %0; pushl %1; pushl $2; pushl %2; pushl %3; iretl" ::
            "r"(SEL_UDATA),
        "i"(USER_STACK), "i"(SEL_UCODE), "i"(USER_CODE));
}
#define USER(name, vec, err, bytes) EXPECT(name, vec, err, user(bytes, sizeof(bytes) - 1))

static void permission(void)
{
    USER("LGDT at CPL 3: before its operand", 13, 0, "\x0f\x01\x15\x00\x00\x00\x10");
    USER("LLDT", 13, 0, "\x0f\x00\x15\x00\x00\x00\x10");
    USER("INVLPG", 13, 0, "\x0f\x01\x3d\x00\x00\x00\x10");
    USER("LMSW", 13, 0, "\x0f\x01\x35\x00\x00\x00\x10");
    USER("INS without the port", 13, 0, "\xbf\x00\x00\x00\x10\xba\x80\x00\x00\x00\x6c");
    USER("OUTS without the port", 13, 0, "\xbe\x00\x00\x00\x10\xba\x80\x00\x00\x00\x6e");
    USER("SGDT writes", 14, 6, "\x0f\x01\x05\x00\x00\x00\x10");
    USER("data that is not there", 14, 4, "\xa1\x00\x00\x00\x10");
    USER("data that is read-only", 14, 7, "\xa3\x00\x00\x40\x10");
    USER("a jump to what is not there", 14, 4, "\xb8\x00\x00\x00\x10\xff\xe0");
    ok(caught_frame.eip == UNMAPPED, "is the target's fault");
}

static void selectors(void)
{
    EXPECT("DS: not present", 11, SEL_GONE, load_ds(SEL_GONE));
    EXPECT("its RPL is checked before", 13, SEL_INNER, load_ds(SEL_INNER + 3));
    EXPECT("SS: not present is #SS", 12, SEL_INNER,
           __asm__ volatile("movl %0, %%ss" ::"r"(SEL_INNER)));
    EXPECT("but another DPL is #GP", 13, SEL_GONE,
           __asm__ volatile("movl %0, %%ss" ::"r"(SEL_GONE)));
    EXPECT("null", 13, 0, __asm__ volatile("movl %0, %%ss" ::"r"(0)));
    EXPECT("RPL 3 is not CPL", 13, SEL_DATA, __asm__ volatile("movl %0, %%ss" ::"r"(SEL_DATA + 3)));
    EXPECT("code is no stack", 13, SEL_CODE, __asm__ volatile("movl %0, %%ss" ::"r"(SEL_CODE)));
    EXPECT("beyond the table", 13, 0x200, load_ds(0x200));
    EXPECT("LDT without one", 13, 0x1c, load_ds(0x1c));
    EXPECT("far pointer that is not there", 14, 0, __asm__ volatile("ljmp *0x10000000"));
    EXPECT("to a data segment", 13, SEL_DATA, __asm__ volatile("ljmp $16, $0"));
    EXPECT("to outer code", 13, SEL_CODE3, __asm__ volatile("ljmp $136, $0"));
    EXPECT("IRET to nothing", 13, 0, __asm__ volatile("pushl $2; pushl $0; pushl $0; iretl"));
    EXPECT("IRET to data", 13, SEL_DATA, __asm__ volatile("pushl $2; pushl $16; pushl $0; iretl"));
    EXPECT("IRET to outer code with an inner stack", 13, SEL_DATA,
           __asm__ volatile(
               "pushl $16; pushl $0; pushl $2; pushl %0; pushl $0; iretl" ::"i"(SEL_UCODE)));
    EXPECT("with none", 13, 0,
           __asm__ volatile(
               "pushl $0; pushl $0; pushl $2; pushl %0; pushl $0; iretl" ::"i"(SEL_UCODE)));
    EXPECT("INT of an empty gate", 13, 0x60 * 8 + 2, idt[0x60] = 0; __asm__ volatile("int $0x60"));
    EXPECT("of one that is not present", 11, 0x60 * 8 + 2, idt[0x60] = gate(SEL_CODE, 0, 0x0e, 0);
           __asm__ volatile("int $0x60"));
    EXPECT("whose code segment is null", 13, 0, idt[0x60] = gate(0, 0, 0x8e, 0);
           __asm__ volatile("int $0x60"));
    EXPECT("or data", 13, SEL_DATA, idt[0x60] = gate(SEL_DATA, 0, 0x8e, 0);
           __asm__ volatile("int $0x60"));
}

/*
 * A task whose state is wrong in one place. What follows its switch is reported in it, when there
 * may be no stack yet: the handlers are tasks as well (SDM 3A 6.15, #TS).
 */
static Tss handlers[3];
static uint8_t handler_stacks[3][1024];
volatile uint32_t task_vector, task_error, task_link;
void handler_10(void);
void handler_11(void);
void handler_12(void);
void task_caught(void);
__asm__(
    "handler_10:\n  movl $10, task_vector\n  jmp 1f\n"
    "handler_11:\n  movl $11, task_vector\n  jmp 1f\n"
    "handler_12:\n  movl $12, task_vector\n"
    "1:  popl task_error\n  clts\n  pushfl\n  andl $~0x4000, (%esp)\n  popfl\n  jmp task_caught\n");

void task_caught(void)
{
    caught = (int)task_vector;
    caught_frame.error = task_error;
    armed = false;
    __builtin_longjmp(recovery, 1);
}

static const Tss good_task = {
    .eflags = 2,
    .cs = SEL_CODE,
    .ss = SEL_DATA,
    .ds = SEL_DATA,
    .es = SEL_DATA,
    .fs = SEL_DATA,
    .gs = SEL_DATA,
    .io_base = 0x68,
};

static void task_handlers(bool on)
{
    void (*const fns[3])(void) = {handler_10, handler_11, handler_12};

    for (unsigned k = 0; k < 3; k++) {
        unsigned sel = SEL_HANDLER + 8 * k;
        handlers[k] = good_task;
        handlers[k].cr3 = (uint32_t)directory;
        handlers[k].eip = (uint32_t)fns[k];
        handlers[k].esp = (uint32_t)handler_stacks[k] + sizeof(handler_stacks[k]);
        gdt_set(sel, segment((uint32_t)&handlers[k], sizeof(Tss) - 1, 0x89, 0));
        if (on) {
            idt[10 + k] = gate(sel, 0, 0x85, 0);
        } else {
            idt[10 + k] = gate(SEL_CODE, (uint32_t)trap_stubs + (10 + k) * 16, 0x8e, 0);
        }
    }
}

static void task(const char *name, int vector, uint32_t error, volatile uint32_t *field,
                 uint32_t value)
{
    next = good_task;
    next.cr3 = (uint32_t)directory;
    next.eip = USER_CODE;
    next.esp = (uint32_t)next_stack + sizeof(next_stack);
    *(volatile uint8_t *)USER_CODE = 0xcc;
    *field = value;
    task_handlers(true);
    gdt_set(SEL_NEXT, segment((uint32_t)&next, sizeof(next) - 1, 0x89, 0));
    gdt_set(SEL_TSS, segment((uint32_t)&tss, sizeof(tss) - 1, 0x89, 0));
    __asm__ volatile("ltr %w0; lldt %w1" ::"r"(SEL_TSS), "r"(0) : "memory");
    EXPECT(name, vector, error, __asm__ volatile("ljmp $120, $0" ::: "memory"));
    __asm__ volatile("pushfl; andl $~0x4000, (%%esp); popfl; clts" ::: "memory");
    load_ds(SEL_DATA);
}

static void task_switches(void)
{
    gdt_set(SEL_TABLE, segment(0x60000, 7, 0x02, 0));
    task("a task that is well", 3, 0, &next.gs, SEL_DATA);
    task("LDT not present", 10, SEL_TABLE, &next.ldt, SEL_TABLE);
    task("LDT that is data", 10, SEL_DATA, &next.ldt, SEL_DATA);
    task("LDT in an LDT", 10, SEL_TABLE + 4, &next.ldt, SEL_TABLE + 4);
    task("CS null", 10, 0, &next.cs, 0);
    task("CS data", 10, SEL_DATA, &next.cs, SEL_DATA);
    task("CS whose DPL is not its RPL", 10, SEL_CODE3, &next.cs, SEL_CODE3);
    gdt_set(SEL_FREE, segment(0, 0xfffff, 0x1b, 12));
    task("CS not present", 11, SEL_FREE, &next.cs, SEL_FREE);
    task("SS null", 10, 0, &next.ss, 0);
    task("SS not present", 12, SEL_INNER, &next.ss, SEL_INNER);
    task("SS of another level", 10, SEL_GONE, &next.ss, SEL_GONE);
    task("SS code", 10, SEL_CODE, &next.ss, SEL_CODE);
    task("DS not present", 11, SEL_GONE, &next.ds, SEL_GONE);
    task("ES a system segment", 10, SEL_TSS, &next.es, SEL_TSS);
    task("GS beyond the table", 10, 0x200, &next.gs, 0x200);
    task("EIP beyond the limit", 13, 0, &next.cs,
         (gdt_set(SEL_FREE, segment(0, 0xfff, 0x9b, 4)), SEL_FREE));
}

void tests(void)
{
    paging();
    limits();
    operands();
    permission();
    selectors();
    task_switches();
}
