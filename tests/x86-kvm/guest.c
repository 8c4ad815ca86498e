// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs small guests through /dev/kvm and prints TAP: real mode with ports and HLT, memory-mapped
 * I/O, an interrupt, and long mode with page tables of its own, page faults and CPUID. Runs inside
 * of a guest of the emulator; scripts/check-guest makes its initrd.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY (4u << 20)

typedef struct Machine {
    int vm, cpu;
    uint8_t *memory;
    struct kvm_run *run;
} Machine;

static int kvm;
static unsigned count, failures;

static void ok(bool good, const char *name)
{
    printf("%sok %u - %s\n", good ? "" : "not ", ++count, name);
    failures += !good;
}

static void need(long result, const char *what)
{
    if (result < 0) {
        perror(what);
        exit(1);
    }
}

static Machine machine_new(void)
{
    Machine m;
    long size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

    need(m.vm = ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    m.memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region region = {.memory_size = MEMORY,
                                                 .userspace_addr = (uintptr_t)m.memory};
    need(ioctl(m.vm, KVM_SET_TSS_ADDR, 0xfffbd000), "KVM_SET_TSS_ADDR");
    need(ioctl(m.vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
    need(m.cpu = ioctl(m.vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
    m.run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, m.cpu, 0);
    return m;
}

static void machine_free(Machine *m)
{
    munmap(m->run, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
    munmap(m->memory, MEMORY);
    close(m->cpu);
    close(m->vm);
}

static unsigned run(Machine *m)
{
    need(ioctl(m->cpu, KVM_RUN, 0), "KVM_RUN");
    return m->run->exit_reason;
}

static void set_regs(Machine *m, uint64_t rip, uint64_t rsp, uint64_t rflags)
{
    struct kvm_regs r = {.rip = rip, .rsp = rsp, .rflags = rflags};

    need(ioctl(m->cpu, KVM_SET_REGS, &r), "KVM_SET_REGS");
}

static struct kvm_regs get_regs(Machine *m)
{
    struct kvm_regs r;

    need(ioctl(m->cpu, KVM_GET_REGS, &r), "KVM_GET_REGS");
    return r;
}

/* ---- real mode ---- */

static void real_mode(void)
{
    static const uint8_t code[] = {
        0xb8, 0x05, 0x00,               /* mov $5, %ax */
        0x05, 0x07, 0x00,               /* add $7, %ax */
        0xe6, 0x42,                     /* out %al, $42h */
        0xe4, 0x43,                     /* in $43h, %al */
        0xa2, 0x00, 0x80,               /* mov %al, 8000h */
        0xb8, 0x00, 0xa0, 0x8e, 0xd8,   /* mov $a000h, %ax; mov %ax, %ds */
        0xfb, 0x90, 0x90,               /* sti */
        0xf4,                           /* hlt */
        0x90, 0x90, 0xf4,
    };
    /* mov $99h, %al; out %al, $44h; iret */
    static const uint8_t handler[] = {0xb0, 0x99, 0xe6, 0x44, 0xcf};
    struct kvm_sregs s;
    Machine m = machine_new();
    uint8_t *data = (uint8_t *)m.run;

    memcpy(m.memory + 0x1000, code, sizeof(code));
    memcpy(m.memory + 0x2000, handler, sizeof(handler));
    *(uint32_t *)(m.memory + 0x20 * 4) = 0x2000;
    need(ioctl(m.cpu, KVM_GET_SREGS, &s), "KVM_GET_SREGS");
    s.cs.base = s.cs.selector = 0;
    need(ioctl(m.cpu, KVM_SET_SREGS, &s), "KVM_SET_SREGS");
    set_regs(&m, 0x1000, 0x7000, 2);
    ok(run(&m) == KVM_EXIT_IO && m.run->io.port == 0x42 && m.run->io.direction == KVM_EXIT_IO_OUT &&
           data[m.run->io.data_offset] == 12, "OUT in real mode");
    ok(run(&m) == KVM_EXIT_IO && m.run->io.port == 0x43 && m.run->io.direction == KVM_EXIT_IO_IN,
       "IN");
    data[m.run->io.data_offset] = 0x5a;
    ok(run(&m) == KVM_EXIT_HLT && m.memory[0x8000] == 0x5a, "its value is stored; HLT");
    struct kvm_interrupt irq = {.irq = 0x20};
    need(ioctl(m.cpu, KVM_INTERRUPT, &irq), "KVM_INTERRUPT");
    ok(run(&m) == KVM_EXIT_IO && m.run->io.port == 0x44 && data[m.run->io.data_offset] == 0x99,
       "an interrupt");
    ok(run(&m) == KVM_EXIT_HLT && get_regs(&m).rsp == 0x7000, "it returns");
    machine_free(&m);
}

/* ---- long mode ---- */

extern const uint8_t long_begin[], long_end[], long_fault[];
__asm__(".section .rodata\n"
        "long_begin:\n"
        "  xorl %ebx, %ebx\n"
        "  movl $100000, %ecx\n"
        "1: addq %rcx, %rbx\n"
        "  decl %ecx\n"
        "  jnz 1b\n"
        "  movq %rbx, 0x5000\n"                 /* 5000050000 */
        "  movl $0x40000000, %eax\n"
        "  cpuid\n"
        "  movl %ebx, 0x5008\n"
        "  movl $0xa0000000, %edi\n"            /* memory-mapped I/O beyond memory */
        "  movl $0x1234, (%rdi)\n"
        "  movl 4(%rdi), %eax\n"
        "  movl %eax, 0x500c\n"
        "  cvtsi2sdl %eax, %xmm0\n"
        "  addsd %xmm0, %xmm0\n"
        "  cvttsd2si %xmm0, %eax\n"
        "  movl %eax, 0x5010\n"
        "  movl $0x40000, %edi\n"               /* touch pages */
        "2: movq %rdi, (%rdi)\n"
        "  addl $4096, %edi\n"
        "  cmpl $0x200000, %edi\n"
        "  jne 2b\n"
        "  movl 0x7fff0000, %eax\n"             /* a page fault */
        "  movl $0xc0000082, %ecx\n"
        "  rdmsr\n"
        "  hlt\n"
        "long_fault:\n"
        "  movq %cr2, %rax\n"
        "  movq %rax, 0x5018\n"
        "  popq %rax\n"
        "  movq %rax, 0x5020\n"
        "  addq $7, (%rsp)\n"
        "  iretq\n"
        "long_end: .previous\n");

static struct kvm_segment flat(unsigned selector, unsigned type, bool code)
{
    return (struct kvm_segment){
        .selector = selector,
        .limit = 0xffffffff,
        .type = type,
        .present = 1,
        .s = 1,
        .l = code,
        .db = !code,
        .g = 1,
    };
}

/* A machine in long mode with this code at 1000h. */
static Machine long_machine(const uint8_t *code, size_t bytes, uint64_t handler)
{
    Machine m = machine_new();
    uint64_t *t = (uint64_t *)(m.memory + 0x10000), *idt = (uint64_t *)(m.memory + 0x14000);
    uint64_t *gdt = (uint64_t *)(m.memory + 0x15000);
    struct kvm_sregs s;
    struct {
        struct kvm_cpuid2 head;
        struct kvm_cpuid_entry2 entries[100];
    } id = {.head.nent = 100};

    memcpy(m.memory + 0x1000, code, bytes);
    t[0] = 0x11007;
    t[512] = 0x12007;
    t[512 + 2] = 0x13007;
    t[1024] = 0x87;
    t[1536 + 256] = 0xa0000087;
    gdt[1] = 0x00af9b000000ffff;
    gdt[2] = 0x00cf93000000ffff;
    idt[28] = (handler & 0xffff) | 8 << 16 | 0x8eull << 40 | (handler >> 16 & 0xffff) << 48;
    need(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &id), "KVM_GET_SUPPORTED_CPUID");
    need(ioctl(m.cpu, KVM_SET_CPUID2, &id), "KVM_SET_CPUID2");
    need(ioctl(m.cpu, KVM_GET_SREGS, &s), "KVM_GET_SREGS");
    s.cs = flat(8, 11, true);
    s.ds = s.es = s.ss = s.fs = s.gs = flat(16, 3, false);
    s.cr0 = 0x80050033;
    s.cr3 = 0x10000;
    s.cr4 = 0x620;
    s.efer = 0x500;
    s.gdt.base = 0x15000;
    s.gdt.limit = 23;
    s.idt.base = 0x14000;
    s.idt.limit = 0xfff;
    need(ioctl(m.cpu, KVM_SET_SREGS, &s), "KVM_SET_SREGS");
    set_regs(&m, 0x1000, 0x8000, 2);
    return m;
}

static void long_mode(void)
{
    Machine m = long_machine(long_begin, long_end - long_begin, 0x1000 + (long_fault - long_begin));

    ok(run(&m) == KVM_EXIT_MMIO && m.run->mmio.phys_addr == 0xa0000000 && m.run->mmio.is_write &&
           m.run->mmio.len == 4 && *(uint32_t *)m.run->mmio.data == 0x1234,
       "a store to a device in long mode");
    ok(*(uint64_t *)(m.memory + 0x5000) == 5000050000, "the loop before it");
    ok(*(uint32_t *)(m.memory + 0x5008) == 0x4b4d564b, "CPUID of the hypervisor");
    ok(run(&m) == KVM_EXIT_MMIO && !m.run->mmio.is_write && m.run->mmio.phys_addr == 0xa0000004,
       "a load");
    *(uint32_t *)m.run->mmio.data = 21;
    ok(run(&m) == KVM_EXIT_HLT, "HLT");
    ok(*(uint32_t *)(m.memory + 0x500c) == 21 && *(uint32_t *)(m.memory + 0x5010) == 42,
       "its value, doubled as a number");
    ok(*(uint64_t *)(m.memory + 0x5018) == 0x7fff0000 && *(uint64_t *)(m.memory + 0x5020) == 0,
       "a page fault of the guest's own");
    ok(*(uint64_t *)(m.memory + 0x1ff000) == 0x1ff000, "pages that were touched");
    if (failures) {
        struct kvm_regs r = get_regs(&m);
        printf("# exit %u rip %#llx rax %#llx rdi %#llx\n", m.run->exit_reason, r.rip, r.rax,
               r.rdi);
    }
    machine_free(&m);
}

/* ---- AVX-512: state of the guest and of this program beside each other ---- */

extern const uint8_t wide_begin[], wide_end[];
__asm__(".section .rodata\n"
        "wide_begin:\n"
        "  movq %cr4, %rax\n"
        "  orl $0x40000, %eax\n"
        "  movq %rax, %cr4\n"
        "  xorl %ecx, %ecx\n"
        "  xorl %edx, %edx\n"
        "  movl $0xe7, %eax\n"
        "  xsetbv\n"
        "  movl $0x12345678, %eax\n"
        "  vpbroadcastd %eax, %zmm31\n"
        "  kmovw %eax, %k5\n"
        "  vpbroadcastd %eax, %zmm3{%k5}{z}\n"
        "  movl $0xa0000000, %edi\n"
        "  movl %eax, (%rdi)\n"
        "  vmovdqu64 %zmm31, 0x5000\n"
        "  kmovw %k5, %eax\n"
        "  movl %eax, 0x5040\n"
        "  vmovdqu64 %zmm3, 0x5080\n"
        "  hlt\n"
        "wide_end: .previous\n");

static bool has_avx512(void)
{
    uint32_t a, b = 0, c = 0, d, xcr0 = 0;

    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(1), "c"(0));
    if (c & 1u << 27) {
        __asm__("xgetbv" : "=a"(xcr0), "=d"(d) : "c"(0));
    }
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(0));
    return (b & 1u << 16) && (xcr0 & 0xe0) == 0xe0;
}

static void wide_state(void)
{
    Machine m;
    uint32_t own[16], mask, *seen, mine = 0x0badcafe;
    bool same = true, kept = true;

    if (!has_avx512()) {
        printf("# no AVX-512\n");
        return;
    }
    m = long_machine(wide_begin, wide_end - wide_begin, 0x1000);
    seen = (uint32_t *)(m.memory + 0x5000);
    ok(run(&m) == KVM_EXIT_MMIO && m.run->mmio.phys_addr == 0xa0000000, "a guest with AVX-512");
    __asm__ volatile("vpbroadcastd %0, %%zmm31; kmovw %0, %%k5" ::"r"(mine));
    ok(run(&m) == KVM_EXIT_HLT, "goes on");
    __asm__ volatile("vmovdqu64 %%zmm31, %0; kmovw %%k5, %1" : "=m"(own), "=r"(mask));
    for (unsigned k = 0; k < 16; k++) {
        same = same && seen[k] == 0x12345678 && seen[32 + k] == (0x5678 >> k & 1 ? 0x12345678 : 0);
        kept = kept && own[k] == mine;
    }
    ok(same && seen[16] == 0x5678, "its registers are its own");
    ok(kept && mask == 0xcafe, "and this program's are");
    machine_free(&m);
}

int main(void)
{
    kvm = open("/dev/kvm", O_RDWR);
    need(kvm, "/dev/kvm");
    ok(ioctl(kvm, KVM_GET_API_VERSION, 0) == 12, "version of the interface");
    real_mode();
    long_mode();
    wide_state();
    printf("1..%u\nKVM-TEST-%s\n", count, failures ? "FAILED" : "DONE");
    return failures != 0;
}
