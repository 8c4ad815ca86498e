// SPDX-License-Identifier: GPL-2.0-or-later
/* The runtime of bare.h for 32-bit images. */
#include "bare.h"

volatile int caught;
volatile Frame caught_frame;
volatile bool armed;
void *recovery[5];
bool (*volatile on_trap)(Frame *f);
uint64_t gdt[64], idt[256];
Tss tss;
extern const char trap_stubs[];
static unsigned count;

static void out8(unsigned port, unsigned v)
{
    __asm__ volatile("outb %%al, %%dx" ::"a"(v), "d"(port));
}

static void put(const char *s)
{
    for (; *s; s++) {
        out8(0xe9, (unsigned char)*s);
    }
}

static void put_hex(uint32_t v)
{
    for (int k = 28; k >= 0; k -= 4) {
        out8(0xe9, (unsigned char)"0123456789abcdef"[v >> k & 15]);
    }
}

static void put_number(unsigned n)
{
    if (n > 9) {
        put_number(n / 10);
    }
    out8(0xe9, '0' + n % 10);
}

void note(const char *text, uint32_t v)
{
    put("# ");
    put(text);
    put(" ");
    put_hex(v);
    put("\n");
}

void ok(bool good, const char *name)
{
    put(good ? "ok " : "not ok ");
    put_number(++count);
    put(" - ");
    put(name);
    put("\n");
    if (!good) {
        note("vector", (uint32_t)caught);
        note("error", caught_frame.error);
        note("eip", caught_frame.eip);
    }
}

static void __attribute__((noreturn)) leave(unsigned status)
{
    out8(0xf4, status);
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

void trap(Frame *f);
void trap(Frame *f)
{
    if (on_trap && on_trap(f)) {
        return;
    }
    caught = (int)f->vector;
    for (unsigned k = 0; k < sizeof(*f) / 4; k++) {
        ((volatile uint32_t *)&caught_frame)[k] = ((uint32_t *)f)[k];
    }
    if (!armed) {
        put("Bail out! exception\n");
        note("vector", f->vector);
        note("error", f->error);
        note("eip", f->eip);
        leave(1);
    }
    armed = false;
    __asm__ volatile("movl %0, %%ss" ::"r"(SEL_DATA));
    __builtin_longjmp(recovery, 1);
}

uint64_t segment(uint32_t base, uint32_t limit20, unsigned access, unsigned flags)
{
    return (limit20 & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)access << 40 |
           (uint64_t)(limit20 >> 16 & 15) << 48 | (uint64_t)flags << 52 |
           (uint64_t)(base >> 24) << 56;
}

uint64_t gate(unsigned selector, uint32_t offset, unsigned access, unsigned params)
{
    return (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)params << 32 |
           (uint64_t)access << 40 | (uint64_t)(offset >> 16) << 48;
}

void gdt_set(unsigned selector, uint64_t descriptor)
{
    gdt[selector / 8] = descriptor;
}

void bare_main(void);
void bare_main(void)
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) r;

    gdt[SEL_CODE / 8] = segment(0, 0xfffff, 0x9b, 12);
    gdt[SEL_DATA / 8] = segment(0, 0xfffff, 0x93, 12);
    gdt[SEL_UCODE / 8] = segment(0, 0xfffff, 0xfb, 12);
    gdt[SEL_UDATA / 8] = segment(0, 0xfffff, 0xf3, 12);
    gdt[SEL_TSS / 8] = segment((uint32_t)&tss, sizeof(tss) - 1, 0x89, 0);
    for (unsigned n = 0; n < 256; n++) {
        idt[n] = gate(SEL_CODE, (uint32_t)trap_stubs + n * 16, n == 3 || n >= 32 ? 0xee : 0x8e, 0);
    }
    r.limit = sizeof(gdt) - 1;
    r.base = (uint32_t)gdt;
    __asm__ volatile("lgdtl %0" ::"m"(r));
    r.limit = sizeof(idt) - 1;
    r.base = (uint32_t)idt;
    __asm__ volatile("lidtl %0" ::"m"(r));
    tss.esp0 = 0x78000;
    tss.ss0 = SEL_DATA;
    tss.io_base = 0x68 + 32;
    for (unsigned n = 0; n < sizeof(tss.io); n++) {
        tss.io[n] = 0xff;
    }
    __asm__ volatile("ltr %w0" ::"r"(SEL_TSS));
    tests();
    put("1..");
    put_number(count);
    put("\n");
    leave(0);
}

void arm(void)
{
    armed = true;
}
