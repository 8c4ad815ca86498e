// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The KVM accelerator: the VM and its vCPUs as the kernel has them, the loop around KVM_RUN, and
 * the exits that every architecture has (Documentation/virt/kvm/api.rst).
 */
#include "accel/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "kvm-memory.h"
#include "qom/runstate.h"
#include "util/error.h"
#include "util/main-loop.h"

#define KICK_SIGNAL SIGUSR1

/* ---- the kernel ---- */

static int kernel_open(void)
{
    return open("/dev/kvm", O_RDWR | O_CLOEXEC);
}

static int kernel_control(int fd, unsigned long request, void *arg)
{
    return ioctl(fd, request, arg);
}

static void *kernel_map(int fd, size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    return p == MAP_FAILED ? NULL : p;
}

static void kernel_unmap(void *p, size_t size)
{
    munmap(p, size);
}

static void kernel_close(int fd)
{
    close(fd);
}

static const KvmKernel real_kernel = {
    .open = kernel_open,
    .control = kernel_control,
    .map = kernel_map,
    .unmap = kernel_unmap,
    .close = kernel_close,
};

/* Tests have another one. */
const KvmKernel *kvm_kernel = &real_kernel;

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
    int r;

    do {
        r = kvm_kernel->control(fd, request, arg);
    } while (r < 0 && errno == EINTR);
    return r;
}

int kvm_has(const Kvm *k, unsigned capability)
{
    int r = kvm_ioctl(k->vm_fd, KVM_CHECK_EXTENSION, (void *)(uintptr_t)capability);

    return MAX(r, 0);
}

/* ---- the VM ---- */

static void woken(int signal)
{
}

static bool open_kernel(Kvm *k, GError **error)
{
    unsigned long type;
    int version;

    k->fd = kvm_kernel->open();
    if (k->fd < 0) {
        return fail(error, "Could not access KVM kernel module: %s", strerror(errno));
    }
    version = kvm_ioctl(k->fd, KVM_GET_API_VERSION, NULL);
    if (version != KVM_API_VERSION) {
        return fail(error, "kvm version %d not supported", version);
    }
    type = k->arch->vm_type ? k->arch->vm_type(k->fd) : 0;
    k->vm_fd = kvm_ioctl(k->fd, KVM_CREATE_VM, (void *)type);
    if (k->vm_fd < 0) {
        return fail(error, "ioctl(KVM_CREATE_VM) failed: %s", strerror(errno));
    }
    int size = kvm_ioctl(k->fd, KVM_GET_VCPU_MMAP_SIZE, NULL);

    if (size < (int)sizeof(struct kvm_run)) {
        return fail(error, "ioctl(KVM_GET_VCPU_MMAP_SIZE) failed: %s", strerror(errno));
    }
    k->run_size = (size_t)size;
    return true;
}

bool kvm_init(Accel *a, const KvmArch *arch, Vm *vm, GError **error)
{
    static const struct {
        unsigned capability;
        const char *name;
    } needed[] = {
        {KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
        {KVM_CAP_DESTROY_MEMORY_REGION_WORKS, "KVM_CAP_DESTROY_MEMORY_REGION_WORKS"},
        {KVM_CAP_READONLY_MEM, "KVM_CAP_READONLY_MEM"},
        {KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
    };
    const struct sigaction action = {.sa_handler = woken};
    Kvm *k = (Kvm *)a;

    k->arch = arch;
    k->fd = k->vm_fd = -1;
    if (!open_kernel(k, error)) {
        kvm_fini(a);
        return false;
    }
    for (unsigned i = 0; i < ARRAY_COUNT(needed); i++) {
        if (!kvm_has(k, needed[i].capability)) {
            kvm_fini(a);
            return fail(error, "kvm does not support %s", needed[i].name);
        }
    }
    if (arch->init && !arch->init(k, error)) {
        kvm_fini(a);
        return false;
    }
    sigaction(KICK_SIGNAL, &action, NULL);
    return true;
}

/* The kernel keeps vCPUs as long as the machine: those of CPUs that went wait for others. */
typedef struct ParkedVcpu {
    unsigned long id;
    int fd;
} ParkedVcpu;

void kvm_fini(Accel *a)
{
    Kvm *k = (Kvm *)a;

    kvm_memory_stop();
    for (guint i = 0; k->parked && i < k->parked->len; i++) {
        kvm_kernel->close(g_array_index(k->parked, ParkedVcpu, i).fd);
    }
    g_clear_pointer(&k->parked, g_array_unref);
    if (k->vm_fd >= 0) {
        kvm_kernel->close(k->vm_fd);
    }
    if (k->fd >= 0) {
        kvm_kernel->close(k->fd);
    }
    k->fd = k->vm_fd = -1;
}

/* ---- vCPUs ---- */

static unsigned long kvm_vcpu_id(const Kvm *k, Cpu *cpu)
{
    return k->arch->vcpu_id ? k->arch->vcpu_id(cpu) : cpu->index;
}

static int kvm_take_parked(Kvm *k, unsigned long id)
{
    for (guint i = 0; k->parked && i < k->parked->len; i++) {
        ParkedVcpu p = g_array_index(k->parked, ParkedVcpu, i);

        if (p.id == id) {
            g_array_remove_index_fast(k->parked, i);
            return p.fd;
        }
    }
    return -1;
}

static void kvm_park(Kvm *k, unsigned long id, int fd)
{
    ParkedVcpu p = {id, fd};

    if (!k->parked) {
        k->parked = g_array_new(FALSE, FALSE, sizeof(ParkedVcpu));
    }
    g_array_append_val(k->parked, p);
}

bool kvm_cpu_create(Cpu *cpu, GError **error)
{
    Kvm *k = kvm_of(cpu);
    KvmCpu *v = g_new0(KvmCpu, 1);

    kvm_memory_start(k, cpu->dev.vm->memory_as);
    cpu->accel = v;
    v->synced = true;
    v->run = NULL;
    v->fd = kvm_take_parked(k, kvm_vcpu_id(k, cpu));
    if (v->fd < 0) {
        v->fd = kvm_ioctl(k->vm_fd, KVM_CREATE_VCPU, (void *)(uintptr_t)kvm_vcpu_id(k, cpu));
    }
    if (v->fd >= 0) {
        v->run = kvm_kernel->map(v->fd, k->run_size);
    }
    if (!v->run) {
        fail(error, "KVM: cannot make vCPU %u: %s", cpu->index, strerror(errno));
        kvm_cpu_destroy(cpu);
        return false;
    }
    if (k->arch->cpu_init && !k->arch->cpu_init(cpu, error)) {
        kvm_cpu_destroy(cpu);
        return false;
    }
    return true;
}

void kvm_cpu_destroy(Cpu *cpu)
{
    Kvm *k = kvm_of(cpu);
    KvmCpu *v = kvm_cpu(cpu);

    if (k->arch->cpu_fini) {
        k->arch->cpu_fini(cpu);
    }
    if (v->run) {
        kvm_kernel->unmap(v->run, k->run_size);
    }
    if (v->fd >= 0) {
        kvm_park(k, kvm_vcpu_id(k, cpu), v->fd);
    }
    cpu->accel = NULL;
    g_free(v);
}

void kvm_cpu_kick(Cpu *cpu)
{
    KvmCpu *v = kvm_cpu(cpu);

    if (!v || !cpu->created) {
        return;
    }
    __atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    if (atomic_load(&cpu->in_guest)) {
        pthread_kill(cpu->thread, KICK_SIGNAL);
    }
}

static bool handle_exit(Cpu *cpu, CpuExecResult *r);

/*
 * API 5: an access that came out is done when the vCPU runs again, which is then no more than that.
 */
static void finish_access(Cpu *cpu)
{
    KvmCpu *v = kvm_cpu(cpu);
    CpuExecResult r;

    while (v->unfinished) {
        v->unfinished = false;
        __atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
        if (kvm_kernel->control(v->fd, KVM_RUN, NULL) >= 0) {
            handle_exit(cpu, &r);
        }
    }
}

void kvm_cpu_sync(Cpu *cpu)
{
    KvmCpu *v = kvm_cpu(cpu);

    if (!v->synced) {
        finish_access(cpu);
    }
    if (!v->synced && !kvm_of(cpu)->arch->get(cpu)) {
        warn_report("KVM: the state of vCPU %u cannot be read: %s", cpu->index, strerror(errno));
    }
    v->synced = true;
}

void kvm_debug_changed(Cpu *cpu)
{
    struct kvm_guest_debug d = {0};
    const KvmArch *arch = kvm_of(cpu)->arch;

    if (cpu->singlestep) {
        d.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
    }
    if (arch->debug) {
        arch->debug(cpu, &d);
    }
    if (kvm_ioctl(kvm_cpu(cpu)->fd, KVM_SET_GUEST_DEBUG, &d) < 0 && d.control) {
        warn_report("KVM: breakpoints cannot be set: %s", strerror(errno));
    }
}

/* ---- exits ---- */

static void port_exit(Cpu *cpu, const struct kvm_run *run)
{
    const MemAttrs attrs = {.is_cpu = 1, .cpu_index = cpu->index & 0x1fff};
    uint8_t *data = (uint8_t *)run + run->io.data_offset;

    for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
        uint32_t v = 0;

        if (run->io.direction == KVM_EXIT_IO_OUT) {
            memcpy(&v, data, run->io.size);
            address_space_store(cpu->io, run->io.port, v, run->io.size, DEV_LITTLE, attrs);
        } else {
            v = (uint32_t)address_space_load(cpu->io, run->io.port, run->io.size, DEV_LITTLE, attrs,
                                             NULL);
            memcpy(data, &v, run->io.size);
        }
    }
}

static void memory_exit(Cpu *cpu, struct kvm_run *run)
{
    const MemAttrs attrs = {.is_cpu = 1, .cpu_index = cpu->index & 0x1fff};

    if (run->mmio.is_write) {
        address_space_write(cpu->as, run->mmio.phys_addr, attrs, run->mmio.data, run->mmio.len);
    } else {
        address_space_read(cpu->as, run->mmio.phys_addr, attrs, run->mmio.data, run->mmio.len);
    }
}

static void dump_failure(Cpu *cpu, const char *text, uint64_t why)
{
    g_autoptr(GString) out = g_string_new(NULL);
    GError *error = NULL;

    kvm_cpu_sync(cpu);
    cpu->arch->dump(cpu, out, 0);
    fail(&error, "KVM: %s 0x%" PRIx64 ", vCPU %u\n%s", text, why, cpu->index, out->str);
    error_report_free(error);
}

static void reset_machine(Cpu *cpu, ShutdownCause cause)
{
    request_reset(cause);
    cpu->stop_requested = true;
}

static CpuExecResult system_event(Cpu *cpu, const struct kvm_run *run)
{
    if (run->system_event.type == KVM_SYSTEM_EVENT_SHUTDOWN) {
        request_shutdown(SHUTDOWN_GUEST_SHUTDOWN);
    } else {
        request_reset(run->system_event.type == KVM_SYSTEM_EVENT_RESET ? SHUTDOWN_GUEST_RESET
                                                                       : SHUTDOWN_GUEST_PANIC);
    }
    cpu->stop_requested = true;
    return CPU_EXEC_AGAIN;
}

/* Machine lock. *r: what cpu_exec returns. False: the vCPU goes on. */
static bool handle_exit(Cpu *cpu, CpuExecResult *r)
{
    struct kvm_run *run = kvm_cpu(cpu)->run;

    *r = CPU_EXEC_AGAIN;
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        port_exit(cpu, run);
        kvm_cpu(cpu)->unfinished = true;
        return false;
    case KVM_EXIT_MMIO:
        memory_exit(cpu, run);
        kvm_cpu(cpu)->unfinished = true;
        return false;
    case KVM_EXIT_IRQ_WINDOW_OPEN:
    case KVM_EXIT_INTR:
        return false;
    case KVM_EXIT_HLT:
        cpu->halted = true;
        return false;
    case KVM_EXIT_DEBUG:
        kvm_cpu_sync(cpu);
        *r = CPU_EXEC_DEBUG;
        return true;
    case KVM_EXIT_SHUTDOWN:
        reset_machine(cpu, SHUTDOWN_GUEST_RESET);
        return true;
    case KVM_EXIT_SYSTEM_EVENT:
        *r = system_event(cpu, run);
        return true;
    case KVM_EXIT_FAIL_ENTRY:
        dump_failure(cpu, "entry failed, hardware error",
                     run->fail_entry.hardware_entry_failure_reason);
        *r = CPU_EXEC_FAILED;
        return true;
    case KVM_EXIT_INTERNAL_ERROR:
        dump_failure(cpu, "internal error. Suberror:", run->internal.suberror);
        *r = CPU_EXEC_FAILED;
        return true;
    default:
        if (kvm_of(cpu)->arch->own_exit && kvm_of(cpu)->arch->own_exit(cpu, run)) {
            return false;
        }
        dump_failure(cpu, "unknown exit", run->exit_reason);
        *r = CPU_EXEC_FAILED;
        return true;
    }
}

/* ---- the loop ---- */

/* False: cpu_exec returns *r. Machine lock. */
static bool ready(Cpu *cpu, CpuExecResult *r)
{
    KvmCpu *v = kvm_cpu(cpu);
    uint32_t pending = atomic_load(&cpu->pending);

    *r = CPU_EXEC_AGAIN;
    if (cpu->stop_requested || cpu->unplug || (pending & (CPU_PENDING_WORK | CPU_PENDING_STOP))) {
        return false;
    }
    if (!kvm_of(cpu)->arch->before(cpu)) {
        *r = cpu->halted ? CPU_EXEC_HALTED : CPU_EXEC_AGAIN;
        return false;
    }
    if (v->synced) {
        if (!kvm_of(cpu)->arch->put(cpu)) {
            warn_report("KVM: the state of vCPU %u is refused: %s", cpu->index, strerror(errno));
            *r = CPU_EXEC_FAILED;
            return false;
        }
        v->synced = false;
    }
    return true;
}

/* Threads are made with all signals blocked; a vCPU that waits in the kernel has to hear kicks. */
static void hear_kicks(KvmCpu *v)
{
    sigset_t kick;

    sigemptyset(&kick);
    sigaddset(&kick, KICK_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
    v->kickable = true;
}

CpuExecResult kvm_cpu_exec(Cpu *cpu)
{
    KvmCpu *v = kvm_cpu(cpu);
    CpuExecResult result;

    if (!v->kickable) {
        hear_kicks(v);
    }
    for (;;) {
        int r, failed;
        bool done;

        /* A kick from here on makes KVM_RUN come back at once. */
        __atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
        atomic_store(&cpu->attention, 0);
        machine_lock();
        if (!ready(cpu, &result)) {
            machine_unlock();
            return result;
        }
        machine_unlock();
        v->unfinished = false;
        cpu_guest_enter(cpu);
        r = kvm_kernel->control(v->fd, KVM_RUN, NULL);
        failed = errno;
        cpu_guest_leave(cpu);
        machine_lock();
        kvm_of(cpu)->arch->after(cpu);
        if (r >= 0) {
            done = handle_exit(cpu, &result);
        } else if (failed == EINTR || failed == EAGAIN) {
            done = false;
        } else {
            dump_failure(cpu, strerror(failed), (uint64_t)failed);
            result = CPU_EXEC_FAILED;
            done = true;
        }
        machine_unlock();
        if (done) {
            return result;
        }
    }
}
