// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An image that makes every semihosting call (ARM 100863) and writes what came back: with good
 * arguments, with wrong handles, with pointers to nowhere. It ends with the exit status 7, or as
 * the first letter of its command line says.
 */
typedef unsigned long uw; /* a field of a parameter block */
typedef __SIZE_TYPE__ size_t;

#if defined(__aarch64__)
#define EXIT_ARGUMENT block
static uw call(uw op, const void *arg)
{
    register uw x0 __asm("x0") = op;
    register const void *x1 __asm("x1") = arg;
    __asm volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
    return x0;
}
__asm(".globl _start\n_start: ldr x0, =0x43000000\n mov sp, x0\n bl start\n b .");
#else
#define EXIT_ARGUMENT ((void *)0x20026)
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define CALL "bkpt #0xab"
#elif defined(USE_HLT) && defined(__thumb__)
#define CALL ".inst.n 0xbabc"
#elif defined(USE_HLT)
#define CALL ".inst 0xe10f0070"
#elif defined(__thumb__)
#define CALL "svc #0xab"
#else
#define CALL "svc #0x123456"
#endif
static uw call(uw op, const void *arg)
{
    register uw r0 __asm("r0") = op;
    register const void *r1 __asm("r1") = arg;
    __asm volatile(CALL : "+r"(r0) : "r"(r1) : "memory", "lr");
    return r0;
}
void start(void);
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
__attribute__((section(".vec")))
const void *const vectors[16] = {(void *)0x20020000, (void *)start};
#else
__asm(".arm\n.globl _start\n_start: ldr sp, =0x43000000\n ldr r0, =start\n bx r0\n");
#endif
#endif

enum {
    OPEN = 1,
    CLOSE,
    WRITEC,
    WRITE0,
    WRITE,
    READ,
    READC,
    ISERROR,
    ISTTY,
    SEEK,
    FLEN = 12,
    TMPNAM,
    REMOVE,
    RENAME,
    CLOCK,
    TIME,
    SYSTEM,
    ERRNO,
    CMDLINE = 0x15,
    HEAPINFO,
    EXIT = 0x18,
    EXIT_EXTENDED = 0x20,
    ELAPSED = 0x30,
    TICKFREQ
};

#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define NOWHERE ((const char *)0x60000000)
#else
#define NOWHERE ((const char *)0x0fff0000)
#endif

static size_t length(const char *s)
{
    size_t n = 0;

    while (s[n]) {
        n++;
    }
    return n;
}

static void say(const char *s)
{
    call(WRITE0, s);
}

static void number(const char *what, uw v)
{
    char text[24];
    int at = 23;

    text[23] = 0;
    say(what);
    say(" ");
    if (v + 1 == 0) {
        say("-1\n");
        return;
    }
    do {
        text[--at] = "0123456789abcdef"[v & 15];
        v >>= 4;
    } while (v);
    say(text + at);
    say("\n");
}

/* A call with up to four fields; the result and, after -1, the error number. */
static uw with(const char *what, uw op, uw a, uw b, uw c, uw d)
{
    uw block[4] = {a, b, c, d};
    uw v = call(op, block);

    number(what, v);
    if (v + 1 == 0) {
        number("  errno", call(ERRNO, 0));
    }
    return v;
}

static uw open(const char *name, uw mode)
{
    return with(name == NOWHERE ? "open nowhere" : name, OPEN, (uw)name, mode,
                name == NOWHERE ? 8 : length(name), 0);
}

static char buffer[256];

static void files(void)
{
    uw h = open("semi.tmp", 6), r;

    with("write", WRITE, h, (uw) "hello, world\n", 13, 0);
    with("flen", FLEN, h, 0, 0, 0);
    with("istty", ISTTY, h, 0, 0, 0);
    with("seek", SEEK, h, 7, 0, 0);
    with("read", READ, h, (uw)buffer, 100, 0);
    say(buffer);
    with("read at the end", READ, h, (uw)buffer, 100, 0);
    with("read nowhere", READ, h, (uw)NOWHERE, 10, 0);
    with("seek", SEEK, h, 0, 0, 0);
    with("read nowhere", READ, h, (uw)NOWHERE, 10, 0);
    with("write nowhere", WRITE, h, (uw)NOWHERE, 10, 0);
    with("read nothing", READ, h, (uw)buffer, 0, 0);
    with("close", CLOSE, h, 0, 0, 0);
    with("close again", CLOSE, h, 0, 0, 0);
    with("flen of none", FLEN, h, 0, 0, 0);
    with("write to none", WRITE, h, (uw) "x", 1, 0);
    with("read of none", READ, 99, (uw)buffer, 1, 0);
    with("seek of none", SEEK, 99, 1, 0, 0);
    with("istty of none", ISTTY, 99, 0, 0, 0);
    h = open("semi.tmp", 0);
    with("write to a reader", WRITE, h, (uw) "x", 1, 0);
    with("close", CLOSE, h, 0, 0, 0);
    h = open("semi.tmp", 8);
    with("append", WRITE, h, (uw) "more", 4, 0);
    with("flen", FLEN, h, 0, 0, 0);
    with("close", CLOSE, h, 0, 0, 0);
    open("not.there", 0);
    open("semi.tmp", 12);
    open(NOWHERE, 0);
    with("open with a wrong length", OPEN, (uw) "semi.tmp", 0, 3, 0);
    with("rename", RENAME, (uw) "semi.tmp", 8, (uw) "other.tmp", 9);
    with("rename", RENAME, (uw) "semi.tmp", 8, (uw) "other.tmp", 9);
    with("rename nowhere", RENAME, (uw)NOWHERE, 8, (uw) "other.tmp", 9);
    with("remove", REMOVE, (uw) "other.tmp", 9, 0, 0);
    with("remove", REMOVE, (uw) "other.tmp", 9, 0, 0);
    with("remove nowhere", REMOVE, (uw)NOWHERE, 9, 0, 0);
    h = open(":semihosting-features", 0);
    r = with("read", READ, h, (uw)buffer, 100, 0);
    for (uw i = 0; i < 100 - r; i++) {
        number("feature", (unsigned char)buffer[i]);
    }
    with("flen", FLEN, h, 0, 0, 0);
    with("seek", SEEK, h, 4, 0, 0);
    with("seek beyond", SEEK, h, 400, 0, 0);
    with("read", READ, h, (uw)buffer, 1, 0);
    with("write", WRITE, h, (uw)buffer, 1, 0);
    with("istty", ISTTY, h, 0, 0, 0);
    with("close", CLOSE, h, 0, 0, 0);
    open(":semihosting-features", 4);
}

static void console(void)
{
    uw out = open(":tt", 4), err = open(":tt", 8), in = open(":tt", 0);

    with("write", WRITE, out, (uw) "out\n", 4, 0);
    with("write", WRITE, err, (uw) "err\n", 4, 0);
    call(WRITEC, "c");
    call(WRITEC, "\n");
    number("writec nowhere", call(WRITEC, NOWHERE));
    number("write0 nowhere", call(WRITE0, NOWHERE));
    with("istty", ISTTY, out, 0, 0, 0);
    with("flen", FLEN, out, 0, 0, 0);
    with("read", READ, in, (uw)buffer, 1, 0);
    number("byte", (unsigned char)buffer[0]);
    with("read", READ, in, (uw)buffer, 3, 0);
    number("byte", (unsigned char)buffer[2]);
    with("close", CLOSE, out, 0, 0, 0);
    with("close", CLOSE, err, 0, 0, 0);
    with("close", CLOSE, in, 0, 0, 0);
}

static void rest(void)
{
    uw block[4];

    with("iserror", ISERROR, 0, 0, 0, 0);
    with("iserror", ISERROR, (uw)-1, 0, 0, 0);
    with("iserror", ISERROR, (uw)-5, 0, 0, 0);
    with("tmpnam", TMPNAM, (uw)buffer, 3, 100, 0);
    say(buffer[0] == '/' ? "a path\n" : buffer);
    with("tmpnam short", TMPNAM, (uw)buffer, 3, 2, 0);
    with("tmpnam wrong", TMPNAM, (uw)buffer, 300, 100, 0);
    with("cmdline", CMDLINE, (uw)buffer, 100, 0, 0);
    block[0] = (uw)buffer;
    block[1] = 100;
    call(CMDLINE, block);
    number("length", block[1]);
    say(buffer);
    say("\n");
    with("cmdline short", CMDLINE, (uw)buffer, 4, 0, 0);
    with("cmdline nowhere", CMDLINE, (uw)NOWHERE, 100, 0, 0);
    number("clock", call(CLOCK, 0) < 100000);
    number("time", call(TIME, 0) > 1600000000);
    number("tickfreq", call(TICKFREQ, 0));
    number("elapsed", call(ELAPSED, block));
    number("elapsed nowhere", call(ELAPSED, NOWHERE));
    with("system", SYSTEM, (uw) "exit 3", 6, 0, 0);
    with("system nowhere", SYSTEM, (uw)NOWHERE, 6, 0, 0);
    block[0] = (uw)(buffer + 0);
    number("heapinfo", call(HEAPINFO, block));
    number("room", ((uw *)buffer)[1] - ((uw *)buffer)[0] >= 0x1000000 / 4);
    number("stack",
           ((uw *)buffer)[2] == ((uw *)buffer)[1] && ((uw *)buffer)[3] == ((uw *)buffer)[0]);
    number("free", ((uw *)buffer)[0] >= (uw)(buffer + sizeof(buffer)));
    block[0] = (uw)NOWHERE;
    number("heapinfo nowhere", call(HEAPINFO, block));
    number("heapinfo nowhere", call(HEAPINFO, NOWHERE));
    number("block nowhere", call(OPEN, NOWHERE));
    number("errno", call(ERRNO, 0));
}

void start(void)
{
    uw block[2] = {(uw)buffer, 100};

    files();
    console();
    rest();
    call(CMDLINE, block);
    say("end\n");
    block[0] = 0x20026;
    block[1] = 7;
    if (buffer[0] == 'e') {
        call(EXIT, EXIT_ARGUMENT);
    } else if (buffer[0] == 'f') {
        block[0] = 0x20023;
        call(EXIT_EXTENDED, block);
    } else if (buffer[0] == 'u') {
        call(0x77, block);
    }
    call(EXIT_EXTENDED, block);
    for (;;) {
    }
}
