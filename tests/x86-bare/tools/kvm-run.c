// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a firmware image of tests/x86-bare on the host's processor through /dev/kvm: what the
 * processor does is what the emulator is measured by. A debug console at port E9h, an exit port at
 * F4h, the kernel's interrupt controllers and timer,
 * 64 MiB of memory; nothing else. Takes the options that `run` gives an emulator and heeds -bios,
 * -chardev and -smp.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RAM_SIZE = 64 << 20, ROM_SIZE = 0x10000, MAX_CPUS = 16 };

typedef struct Machine {
    int kvm, vm, run_size;
    FILE *out;
} Machine;

typedef struct Vcpu {
    Machine *m;
    int fd;
    struct kvm_run *run;
} Vcpu;

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(77);
}

static int call(int fd, unsigned long request, void *arg, const char *what)
{
    int r = ioctl(fd, request, arg);

    if (r < 0) {
        die(what);
    }
    return r;
}

static void *map_memory(Machine *m, unsigned slot, uint64_t at, size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region region = {
        .slot = slot, .guest_phys_addr = at, .memory_size = size, .userspace_addr = (uintptr_t)p,
    };

    if (p == MAP_FAILED) {
        die("mmap");
    }
    call(m->vm, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");
    return p;
}

static void load(Machine *m, const char *path)
{
    uint8_t *ram = map_memory(m, 0, 0, RAM_SIZE), *top = map_memory(m, 1, 0xffff0000, ROM_SIZE);
    FILE *f = fopen(path, "rb");

    if (!f || fread(top, 1, ROM_SIZE, f) != ROM_SIZE) {
        die(path);
    }
    fclose(f);
    memcpy(ram + 0xf0000, top, ROM_SIZE);
}

/* Reads of what is not there give ones. */
static void io(Vcpu *v)
{
    struct kvm_run *run = v->run;
    uint8_t *data = (uint8_t *)run + run->io.data_offset;

    if (run->io.direction == KVM_EXIT_IO_IN) {
        memset(data, run->io.port == 0xe9 ? 0xe9 : 0xff, (size_t)run->io.size * run->io.count);
    } else if (run->io.port == 0xe9) {
        fwrite(data, 1, (size_t)run->io.size * run->io.count, v->m->out);
    } else if (run->io.port == 0xf4) {
        fflush(v->m->out);
        _exit(data[0] << 1 | 1);
    }
}

/* What KVM itself cannot do, for example emulate an instruction. */
static _Noreturn void give_up(Vcpu *v)
{
    struct kvm_regs regs = {0};

    ioctl(v->fd, KVM_GET_REGS, &regs);
    fflush(v->m->out);
    fprintf(stderr, "exit reason %u, suberror %u, rip %#llx", v->run->exit_reason,
            v->run->internal.suberror, regs.rip);
    for (unsigned k = 0;
         v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR && k < v->run->internal.ndata && k < 8;
         k++) {
        fprintf(stderr, " %llx", v->run->internal.data[k]);
    }
    fprintf(stderr, "\n");
    _exit(76);
}

static void *run_vcpu(void *opaque)
{
    Vcpu *v = opaque;

    for (;;) {
        if (ioctl(v->fd, KVM_RUN, NULL) < 0 && errno != EINTR && errno != EAGAIN) {
            die("KVM_RUN");
        }
        switch (v->run->exit_reason) {
        case KVM_EXIT_IO:
            io(v);
            break;
        case KVM_EXIT_MMIO:
            memset(v->run->mmio.data, 0xff, sizeof(v->run->mmio.data));
            break;
        case KVM_EXIT_SHUTDOWN:
            fflush(v->m->out);
            fprintf(stderr, "triple fault\n");
            _exit(0);
        case KVM_EXIT_INTR:
            break;
        default:
            give_up(v);
        }
    }
    return NULL;
}

static void make_vcpu(Machine *m, Vcpu *v, unsigned id)
{
    struct {
        struct kvm_cpuid2 head;
        struct kvm_cpuid_entry2 entries[200];
    } cpuid = {.head = {.nent = 200}};
    struct kvm_mp_state state = {.mp_state = KVM_MP_STATE_RUNNABLE};

    v->m = m;
    v->fd = ioctl(m->vm, KVM_CREATE_VCPU, id);
    if (v->fd < 0) {
        die("KVM_CREATE_VCPU");
    }
    v->run = mmap(NULL, (size_t)m->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
    call(m->kvm, KVM_GET_SUPPORTED_CPUID, &cpuid, "KVM_GET_SUPPORTED_CPUID");
    for (unsigned k = 0; k < cpuid.head.nent; k++) {
        struct kvm_cpuid_entry2 *e = &cpuid.entries[k];

        if (e->function == 1) {
            e->ebx = (e->ebx & 0xffffff) | id << 24;
        } else if (e->function == 0xb || e->function == 0x1f) {
            e->edx = id;
        }
    }
    call(v->fd, KVM_SET_CPUID2, &cpuid, "KVM_SET_CPUID2");
    if (id == 0) {
        call(v->fd, KVM_SET_MP_STATE, &state, "KVM_SET_MP_STATE");
    }
}

int main(int argc, char **argv)
{
    static Machine m;
    static Vcpu vcpus[MAX_CPUS];
    const char *bios = NULL, *path;
    struct kvm_pit_config pit = {0};
    unsigned cpus = 1;
    pthread_t thread;

    m.out = stdout;
    for (int k = 1; k + 1 < argc; k++) {
        if (!strcmp(argv[k], "-bios")) {
            bios = argv[k + 1];
        } else if (!strcmp(argv[k], "-smp")) {
            cpus = 0;
            for (const char *d = argv[k + 1]; *d >= '0' && *d <= '9' && cpus <= MAX_CPUS; d++) {
                cpus = cpus * 10 + (unsigned)(*d - '0');
            }
        } else if (!strcmp(argv[k], "-chardev") && !strncmp(argv[k + 1], "file,", 5) &&
                   (path = strstr(argv[k + 1], "path="))) {
            m.out = fopen(path + 5, "w");
        }
    }
    if (!bios || !m.out || cpus < 1 || cpus > MAX_CPUS) {
        fprintf(stderr, "usage: kvm-run -bios IMAGE [-chardev file,path=OUTPUT] [-smp N]\n");
        return 2;
    }
    m.kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (m.kvm < 0) {
        die("/dev/kvm");
    }
    m.vm = call(m.kvm, KVM_CREATE_VM, NULL, "KVM_CREATE_VM");
    m.run_size = call(m.kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE");
    call(m.vm, KVM_SET_TSS_ADDR, (void *)0xfffbd000ul, "KVM_SET_TSS_ADDR");
    call(m.vm, KVM_CREATE_IRQCHIP, NULL, "KVM_CREATE_IRQCHIP");
    call(m.vm, KVM_CREATE_PIT2, &pit, "KVM_CREATE_PIT2");
    load(&m, bios);
    for (unsigned k = 0; k < cpus; k++) {
        make_vcpu(&m, &vcpus[k], k);
    }
    for (unsigned k = 1; k < cpus; k++) {
        if (pthread_create(&thread, NULL, run_vcpu, &vcpus[k])) {
            die("pthread_create");
        }
    }
    run_vcpu(&vcpus[0]);
}
