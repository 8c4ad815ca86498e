// SPDX-License-Identifier: GPL-2.0-or-later
// run: -uuid 00112233-4455-6677-8899-aabbccddeeff
/*
 * The VMware back door at port 5658h: which registers an access takes and gives back, and the
 * commands of the absolute pointer.
 */
#include "bare.h"

#define MAGIC 0x564d5868u

static const char *const names[] = {"eax", "ebx", "ecx", "edx", "esi", "edi"};
static volatile uint32_t r[6];

/* IN EAX with these registers; all of them come back in r. */
static void call(uint32_t eax, uint32_t command, uint32_t ebx)
{
    uint32_t a = eax, b = ebx, c = command, d = 0x5658, si = 0x51515151, di = 0xd1d1d1d1;

    __asm__ volatile("inl %%dx, %%eax"
                     : "+a"(a), "+b"(b), "+c"(c), "+d"(d), "+S"(si), "+D"(di)
                     :
                     : "memory");
    r[0] = a, r[1] = b, r[2] = c, r[3] = d, r[4] = si, r[5] = di;
}

static bool is(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t si, uint32_t di)
{
    if (r[0] == a && r[1] == b && r[2] == c && r[3] == d && r[4] == si && r[5] == di) {
        return true;
    }
    for (unsigned i = 0; i < 6; i++) {
        note(names[i], r[i]);
    }
    return false;
}

static void general(void)
{
    call(MAGIC, 10, 0xffffffff);
    ok(is(6, MAGIC, 2, 0x5658, 0x51515151, 0xd1d1d1d1), "version");
    call(MAGIC - 1, 10, 3);
    ok(is(0xffffffff, 3, 10, 0x5658, 0x51515151, 0xd1d1d1d1), "without the magic number");
    call(MAGIC, 11, 3);
    ok(is(0xffffffff, 3, 11, 0x5658, 0x51515151, 0xd1d1d1d1), "a command that nobody has");
    call(MAGIC, 0x10000 + 4711, 3);
    ok(is(0xffffffff, 3, 0x10000 + 4711, 0x5658, 0x51515151, 0xd1d1d1d1), "a large one");
    call(MAGIC, 20, 3);
    ok(is(64 << 20, 0x1177, 20, 0x5658, 0x51515151, 0xd1d1d1d1), "memory size");
    call(MAGIC, 19, 3);
    ok(is(0x33221100, 0x77665544, 0xbbaa9988, 0xffeeddcc, 0x51515151, 0xd1d1d1d1), "UUID");
    call(MAGIC, 68, 3);
    ok((r[0] & ~8u) == 0 && r[1] == 3 && r[2] == 68, "vCPUs");
}

static void pointer(void)
{
    call(MAGIC, 40, 0);
    ok(is(0xffff0000, 0, 40, 0x5658, 0x51515151, 0xd1d1d1d1), "pointer off");
    call(MAGIC, 41, 0x45414552);
    ok(is(MAGIC, 0x45414552, 41, 0x5658, 0x51515151, 0xd1d1d1d1), "it is asked who it is");
    call(MAGIC, 40, 0);
    ok(r[0] == 1, "one word waits");
    call(MAGIC, 39, 1);
    ok(is(0x3442554a, 1, 39, 0x5658, 0x51515151, 0xd1d1d1d1), "its version");
    call(MAGIC, 41, 0x53424152);
    call(MAGIC, 40, 0);
    ok(r[0] == 0, "absolute, nothing waits");
    call(MAGIC, 39, 4);
    call(MAGIC, 40, 0);
    ok(r[0] == 0xffff0000, "more words asked for than there are");
    call(MAGIC, 41, 0x45414552);
    call(MAGIC, 39, 7);
    call(MAGIC, 40, 0);
    ok(r[0] == 0xffff0001, "more than registers");
    call(MAGIC, 41, 0xf5);
    call(MAGIC, 40, 0);
    ok(r[0] == 0xffff0001, "off again");
}

/* By OUT the answer comes all the same; 64-bit callers are like this too. */
static void by_out(void)
{
    uint32_t a = MAGIC, b = 0, c = 10, d = 0x5658;

    __asm__ volatile("outl %%eax, %%dx" : "+a"(a), "+b"(b), "+c"(c), "+d"(d) : : "memory");
    ok(a == 6 && b == MAGIC && c == 2 && d == 0x5658, "by OUT");
}

void tests(void)
{
    general();
    pointer();
    by_out();
}
