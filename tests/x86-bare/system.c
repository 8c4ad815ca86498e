// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System instructions one by one: which level may use them, what they leave behind. SDM 2A to 2D
 * under each name; 3A 5.9 (privileged instructions), 2.5 (CR4.TSD, PCE, UMIP), 1 19.5 (I/O
 * protection).
 */
#include "bare.h"

enum { USER_CODE = 0x61000, USER_STACK = 0x74000, AREA = 0x60000 };

typedef struct Attempt {
    const char *name;
    const char *bytes;
    unsigned len;
    int user;           /* vector at CPL 3; 3: it is allowed and comes to the INT3 behind it */
} Attempt;

static const Attempt attempts[] = {
    {"HLT", "\xf4", 1, 13},
    {"CLTS", "\x0f\x06", 2, 13},
    {"INVD", "\x0f\x08", 2, 13},
    {"WBINVD", "\x0f\x09", 2, 13},
    {"INVLPG", "\x0f\x01\x3d\x00\x00\x06\x00", 7, 13},
    {"LGDT", "\x0f\x01\x15\x00\x00\x06\x00", 7, 13},
    {"LIDT", "\x0f\x01\x1d\x00\x00\x06\x00", 7, 13},
    {"LLDT", "\x0f\x00\xd0", 3, 13},
    {"LTR", "\x0f\x00\xd8", 3, 13},
    {"LMSW", "\x0f\x01\xf0", 3, 13},
    {"MOV from CR0", "\x0f\x20\xc0", 3, 13},
    {"MOV to CR3", "\x0f\x22\xd8", 3, 13},
    {"MOV from DR7", "\x0f\x21\xf8", 3, 13},
    {"MOV to DR0", "\x0f\x23\xc0", 3, 13},
    {"RDMSR", "\x0f\x32", 2, 13},
    {"WRMSR", "\x0f\x30", 2, 13},
    {"XSETBV without CR4.OSXSAVE", "\x0f\x01\xd1", 3, 6},
    {"SYSEXIT", "\x0f\x35", 2, 13},
    {"CLI with IOPL 0", "\xfa", 1, 13},
    {"STI with IOPL 0", "\xfb", 1, 13},
    {"IN without a bitmap", "\xe4\x80", 2, 13},
    {"OUT without a bitmap", "\xe6\x80", 2, 13},
    {"INSB", "\x6c", 1, 13},
    {"OUTSB", "\x6e", 1, 13},
    {"MONITOR", "\x0f\x01\xc8", 3, 6},
    {"MWAIT", "\x0f\x01\xc9", 3, 6},
    {"RSM", "\x0f\xaa", 2, 6},
    {"UD2", "\x0f\x0b", 2, 6},
    {"UD1", "\x0f\xb9\xc0", 3, 6},
    {"UD0", "\x0f\xff\xc0", 3, 6},
    {"SYSCALL without EFER.SCE", "\x0f\x05", 2, 6},
    {"SYSENTER without a target", "\x0f\x34", 2, 13},
    {"SGDT", "\x0f\x01\x05\x00\x02\x06\x00", 7, 3},
    {"SIDT", "\x0f\x01\x0d\x00\x02\x06\x00", 7, 3},
    {"SLDT", "\x0f\x00\xc0", 3, 3},
    {"STR", "\x0f\x00\xc8", 3, 3},
    {"SMSW", "\x0f\x01\xe0", 3, 3},
    {"LAR", "\x0f\x02\xc0", 3, 3},
    {"VERR", "\x0f\x00\xe0", 3, 3},
    {"RDTSC", "\x0f\x31", 2, 3},
    {"CPUID", "\x0f\xa2", 2, 3},
    {"XGETBV without CR4.OSXSAVE", "\x31\xc9\x0f\x01\xd0", 5, 6},
    {"PUSHF, POPF", "\x9c\x9d", 2, 3},
    {"PAUSE", "\xf3\x90", 2, 3},
    {"CLFLUSH", "\x0f\xae\x3d\x00\x02\x06\x00", 7, 3},
    {"INT3", "\xcc", 1, 3},
    {"RDRAND", "\x0f\xc7\xf0", 3, 3},
    {"FXSAVE", "\x0f\xae\x05\x00\x03\x06\x00", 7, 3},
    {"LOCK of a register", "\xf0\x01\xc0", 3, 6},
    {"LOCK CMP", "\xf0\x39\x05\x00\x02\x06\x00", 7, 6},
    {"CMPXCHG8B of a register", "\x0f\xc7\xc8", 3, 6},
    {"LEA of a register", "\x8d\xc0", 2, 6},
    {"LES of a register", "\xc4\xc0", 2, 6},
    {"BOUND of a register", "\x62\xc0", 2, 6},
    {"MOV to CS", "\x8e\xc8", 2, 6},
    {"POP of a seventh register form", "\x8f\xc8", 2, 6},
    {"INTO with O clear", "\x31\xc0\xce", 3, 3},
    {"ARPL", "\x63\xc0", 2, 3},
};

static void user(uint32_t eflags)
{
    __asm__ volatile(
        "movl %0, %%ds; movl %0, %%es; pushl %0; pushl %1; pushl %2; pushl %3; pushl %4; iretl" ::
            "r"(SEL_UDATA),
        "i"(USER_STACK), "r"(eflags), "i"(SEL_UCODE), "i"(USER_CODE));
}

static void code(const char *bytes, unsigned len)
{
    volatile uint8_t *p = (volatile uint8_t *)USER_CODE;

    for (unsigned k = 0; k < len; k++) {
        p[k] = (uint8_t)bytes[k];
    }
    p[len] = 0xcc;
}

static void set_cr4(uint32_t on, uint32_t off)
{
    uint32_t v;

    __asm__ volatile("movl %%cr4, %0; orl %1, %0; andl %2, %0; movl %0, %%cr4"
                     : "=&r"(v)
                     : "ri"(on), "ri"(~off));
}

static void levels(void)
{
    for (unsigned k = 0; k < sizeof(attempts) / sizeof(attempts[0]); k++) {
        const Attempt *a = &attempts[k];

        code(a->bytes, a->len);
        TRY(user(2));
        ok(caught == a->user && (caught != 13 || caught_frame.error == 0) &&
               (caught == 3 || caught_frame.eip - USER_CODE < a->len), a->name);
    }
}

/* Bits of CR4 that take instructions away from CPL 3. */
static void switches(void)
{
    set_cr4(4, 0);
    code("\x0f\x31", 2);
    EXPECT("RDTSC with CR4.TSD", 13, 0, user(2));
    EXPECT("but not at CPL 0", -1, 0, __asm__ volatile("rdtsc" ::: "eax", "edx"));
    set_cr4(0, 4);
    set_cr4(0x800, 0);
    code("\x0f\x01\x05\x00\x02\x06\x00", 7);
    EXPECT("SGDT with CR4.UMIP", 13, 0, user(2));
    code("\x0f\x01\xe0", 3);
    EXPECT("SMSW with CR4.UMIP", 13, 0, user(2));
    EXPECT("but not at CPL 0", -1, 0,
           __asm__ volatile("smsw %%eax; sldt %%eax; str %%eax" ::
                                : "eax"));
    set_cr4(0, 0x800);
    code("\xfa\xfb", 2);
    EXPECT("CLI, STI with IOPL 3", 3, 0, user(0x3002));
    code("\xe4\x80", 2);
    EXPECT("IN with IOPL 3", 3, 0, user(0x3002));
    tss.io_base = (uint16_t)((uint32_t)tss.io - (uint32_t)&tss);
    for (unsigned k = 0; k < sizeof(tss.io); k++) {
        tss.io[k] = 0xff;
    }
    tss.io[0x80 / 8] = 0xfe;
    EXPECT("IN by the bitmap", 3, 0, user(2));
    code("\xe5\x80", 2);
    EXPECT("of four ports, three forbidden", 13, 0, user(2));
    code("\xe4\x81", 2);
    EXPECT("of the next port", 13, 0, user(2));
    code("\x66\xba\xff\xff\xec", 5);
    EXPECT("beyond the bitmap", 13, 0, user(2));
    tss.io_base = 0xffff;
}

static uint32_t cr0(void)
{
    uint32_t v;

    __asm__ volatile("movl %%cr0, %0" : "=r"(v));
    return v;
}

static void machine_status(void)
{
    uint32_t v, w = 0xdead0000;

    __asm__ volatile("movl %%cr0, %0; orl $8, %0; movl %0, %%cr0" : "=r"(v));
    ok(cr0() & 8, "CR0.TS set");
    __asm__ volatile("clts");
    ok(!(cr0() & 8), "CLTS");
    __asm__ volatile("lmsw %w0" ::"r"(0xe));
    ok((cr0() & 0xf) == 0xf, "LMSW sets MP, EM, TS and keeps PE");
    __asm__ volatile("lmsw %w0" ::"r"(0x0));
    ok((cr0() & 0xf) == 1, "and clears all but PE");
    __asm__ volatile("smsw %w0" : "+r"(w));
    ok(w == (0xdead0000 | (cr0() & 0xffff)), "SMSW of 16 bits");
    __asm__ volatile("smsw %0" : "+r"(w));
    ok(w == cr0(), "of 32 bits");
    EXPECT("CR0.PG without PE", 13, 0,
           __asm__ volatile("movl %0, %%cr0" ::"r"(0x80000000 | (cr0() & ~1u))));
    EXPECT("CR0.NW without CD", 13, 0,
           __asm__ volatile("movl %0, %%cr0" ::"r"((cr0() & ~0x40000000u) | 0x20000000)));
    EXPECT("reserved bits of CR4", 13, 0, __asm__ volatile("movl %0, %%cr4" ::"r"(1u << 31)));
    EXPECT("CR1 is not there", 6, 0, __asm__ volatile(".byte 0x0f, 0x20, 0xc8"));
    EXPECT("nor is CR8 in 32-bit code", 6, 0, __asm__ volatile(".byte 0x0f, 0x20, 0xe8"));
    EXPECT(
        "DR4 is DR6", -1, 0,
        __asm__ volatile("movl %%dr4, %%eax; movl %%dr6, %%edx; subl %%edx, %%eax; movl %%eax, %0"
                         : "=m"(v)::"eax", "edx"));
    ok(v == 0, "the same value");
    set_cr4(8, 0);
    EXPECT("but not with CR4.DE", 6, 0, __asm__ volatile("movl %%dr4, %%eax" ::: "eax"));
    set_cr4(0, 8);
    EXPECT("an MSR of the x2APIC, which is off", 13, 0,
           __asm__ volatile("rdmsr" ::"c"(0x802)
                            : "eax", "edx"));
}

static void extended(void)
{
    uint32_t a, d;

    EXPECT("XGETBV without CR4.OSXSAVE", 6, 0, __asm__ volatile("xgetbv" ::"c"(0) : "eax", "edx"));
    set_cr4(0x40600, 0);
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    ok(a == 1 && d == 0, "XCR0 begins with x87 only");
    EXPECT("XSETBV without x87", 13, 0, __asm__ volatile("xsetbv" ::"c"(0), "a"(2), "d"(0)));
    EXPECT("AVX without SSE", 13, 0, __asm__ volatile("xsetbv" ::"c"(0), "a"(5), "d"(0)));
    EXPECT("reserved components", 13, 0,
           __asm__ volatile("xsetbv" ::"c"(0), "a"(3), "d"(0x80000000)));
    EXPECT("XCR1", 13, 0, __asm__ volatile("xsetbv" ::"c"(1), "a"(3), "d"(0)));
    EXPECT("VEX without AVX in XCR0", 6, 0, __asm__ volatile("vzeroupper"));
    EXPECT("x87, SSE and AVX", -1, 0,
           __asm__ volatile("xsetbv; vzeroupper" ::"c"(0), "a"(7), "d"(0)));
    EXPECT("a misaligned XSAVE area", 13, 0, __asm__ volatile("xsave 0x60008" ::"a"(7), "d"(0)));
    EXPECT("a misaligned FXSAVE area", 13, 0, __asm__ volatile("fxsave 0x60008"));
}

/* What changes no state but registers. */
static void others(void)
{
    volatile uint32_t *m = (volatile uint32_t *)AREA;
    uint32_t a, d;
    uint8_t z;

    m[0] = 1;
    m[1] = 2;
    __asm__ volatile("lock cmpxchg8b %1; setz %0"
                     : "=q"(z), "+m"(*(volatile uint64_t *)m), "=a"(a), "=d"(d)
                     : "a"(1), "d"(2), "b"(3), "c"(4));
    ok(z && m[0] == 3 && m[1] == 4, "CMPXCHG8B that matches");
    __asm__ volatile("lock cmpxchg8b %1; setz %0"
                     : "=q"(z), "+m"(*(volatile uint64_t *)m), "=a"(a), "=d"(d)
                     : "a"(1), "d"(2), "b"(5), "c"(6));
    ok(!z && a == 3 && d == 4 && m[0] == 3, "and one that does not");
    m[0] = 0;
    m[1] = 10;
    EXPECT("BOUND within", -1, 0,
           __asm__ volatile("bound %0, %1" ::"r"(10), "m"(*(volatile uint64_t *)m)));
    EXPECT("BOUND outside", 5, 0,
           __asm__ volatile("bound %0, %1" ::"r"(11), "m"(*(volatile uint64_t *)m)));
    EXPECT("below", 5, 0, __asm__ volatile("bound %0, %1" ::"r"(-1), "m"(*(volatile uint64_t *)m)));
    EXPECT("INTO", 4, 0, __asm__ volatile("movb $0x7f, %%al; addb $1, %%al; into" ::: "eax", "cc"));
    EXPECT("AAM 0", 0, 0, __asm__ volatile(".byte 0xd4, 0x00" ::: "eax", "cc"));
    __asm__ volatile("aam" : "=a"(a) : "a"(0x37) : "cc");
    ok((a & 0xffff) == 0x0505, "AAM");
    __asm__ volatile("aad" : "=a"(a) : "a"(0x0505) : "cc");
    ok((a & 0xffff) == 0x37, "AAD");
    __asm__ volatile("addb $0x35, %%al; daa" : "=a"(a) : "a"(0x79) : "cc");
    ok((a & 0xff) == 0x14, "DAA");
    __asm__ volatile("subb $0x47, %%al; das" : "=a"(a) : "a"(0x35) : "cc");
    ok((a & 0xff) == 0x88, "DAS");
    ((volatile uint8_t *)AREA)[0x2a] = 0x99;
    __asm__ volatile("xlatb" : "=a"(a) : "b"(AREA), "a"(0x2a));
    ok((a & 0xff) == 0x99, "XLAT");
    __asm__ volatile("stc; .byte 0xd6" : "=a"(a) : "a"(0) : "cc");
    ok((a & 0xff) == 0xff, "SALC");
    __asm__ volatile("pushl %%ebp; movl %%esp, %%edx; enter $16, $0; movl %%ebp, %0; leave; subl "
                     "%%esp, %%edx; popl %%ebp"
                     : "=&a"(a), "=&d"(d)::"memory");
    ok(d == 0, "ENTER and LEAVE");
    __asm__ volatile("xorl %0, %0; 1: incl %0; loop 1b" : "=&a"(a) : "c"(5) : "cc");
    ok(a == 5, "LOOP");
    for (unsigned k = 0; k < 100; k++) {
        __asm__ volatile("rdrand %0; setc %1" : "=r"(a), "=q"(z)::"cc");
        d |= a;
    }
    ok(z && d, "RDRAND");
    __asm__ volatile("rdtscp" : "=a"(a), "=d"(d)::"ecx");
    uint64_t before = (uint64_t)d << 32 | a;
    __asm__ volatile("rdtsc" : "=a"(a), "=d"(d));
    ok(((uint64_t)d << 32 | a) >= before, "RDTSC goes forward");
}

/* Strings from and to ports. */
static void string_io(void)
{
    volatile uint8_t *p = (volatile uint8_t *)AREA;
    uint32_t to = AREA, count = 4;

    p[0] = p[3] = p[4] = 0x11;
    __asm__ volatile("cld; rep insb" : "+D"(to), "+c"(count) : "d"(0xe9) : "memory");
    ok(to == AREA + 4 && count == 0 && p[0] == 0xe9 && p[3] == 0xe9 && p[4] == 0x11, "REP INSB");
    to = AREA;
    count = 0;
    __asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(0xe9) : "memory");
    ok(to == AREA && count == 0, "REP INSB of nothing");
    to = AREA + 1;
    count = 3000;                      /* words that lie in several pages, one of them in two */
    p[0] = p[6001] = 0x11;
    __asm__ volatile("rep insw" : "+D"(to), "+c"(count) : "d"(0xe9) : "memory");
    ok(to == AREA + 6001 && count == 0 && p[0] == 0x11 && p[1] == 0xe9 && p[2] == 0xff &&
           p[4095] == 0xe9 && p[4096] == 0xff && p[6000] == 0xff && p[6001] == 0x11,
       "REP INSW over pages");
    to = AREA + 1;
    count = 3000;
    __asm__ volatile("rep outsw" : "+S"(to), "+c"(count) : "d"(0x80) : "memory");
    ok(to == AREA + 6001 && count == 0, "REP OUTSW over pages");
    to = AREA + 3;
    count = 2;
    __asm__ volatile("std; rep outsb; cld" : "+S"(to), "+c"(count) : "d"(0x80) : "memory");
    ok(to == AREA + 1 && count == 0, "REP OUTSB downwards");
}

void tests(void)
{
    levels();
    switches();
    machine_status();
    extended();
    others();
    string_io();
}
