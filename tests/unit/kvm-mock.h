// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel for tests of accel/kvm and target-X/kvm: it writes down each request and checks
 * descriptors. A test compares the list with what the kernel's documentation asks for, makes single
 * requests fail, and says what KVM_RUN comes back with. What an architecture has for itself is the
 * test's own `control`.
 */
#ifndef KVM_MOCK_H
#define KVM_MOCK_H

#include <errno.h>
#include <glib.h>
#include <string.h>
#include "accel/kvm.h"

enum {
    MOCK_KVM = 1000,
    MOCK_VM = 1001,
    MOCK_CPU = 1100,
    MOCK_DEVICE = 1200,
    MOCK_RUN_SIZE = 4096,
    MOCK_OTHER = -1000
};

typedef struct KvmMock {
    GString *log; /* a line for each request */
    unsigned num_cpus, num_devices, num_vms;
    int open; /* descriptors that are */
    int capability[512]; /* KVM_CHECK_EXTENSION's answers */
    unsigned long fail_request; /* fails with EINVAL, once */
    struct kvm_run *run[8]; /* by vCPU */
    /* What KVM_RUN does: fills *run. NULL: EINTR. */
    int (*step)(unsigned cpu, struct kvm_run *run);
    /* The architecture's requests; MOCK_OTHER: not one of these. */
    int (*control)(int fd, unsigned long request, void *arg);
} KvmMock;

/* The one that kvm_kernel's functions are about; these have no argument for it. */
static KvmMock mock;

static void mock_note(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void mock_note(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    g_string_append_vprintf(mock.log, format, list);
    va_end(list);
    g_string_append_c(mock.log, '\n');
}

static int mock_fail(int error)
{
    errno = error;
    return -1;
}

static int mock_open(void)
{
    mock_note("open");
    mock.open++;
    return MOCK_KVM;
}

static void mock_close(int fd)
{
    g_assert_cmpint(fd, >=, MOCK_KVM);
    mock_note("close %d", fd);
    mock.open--;
}

static void *mock_map(int fd, size_t size)
{
    const int n = fd - MOCK_CPU;

    g_assert_true(n >= 0 && n < (int)mock.num_cpus && size == MOCK_RUN_SIZE);
    mock_note("map %d", n);
    mock.run[n] = g_malloc0(size);
    return mock.run[n];
}

static void mock_unmap(void *p, size_t size)
{
    mock_note("unmap");
    g_free(p);
}

static int mock_system(unsigned long request, void *arg)
{
    switch (request) {
    case KVM_GET_API_VERSION:
        mock_note("api_version");
        return KVM_API_VERSION;
    case KVM_GET_VCPU_MMAP_SIZE:
        mock_note("mmap_size");
        return MOCK_RUN_SIZE;
    case KVM_CHECK_EXTENSION:
        return mock.capability[(uintptr_t)arg & 511];
    case KVM_CREATE_VM:
        mock_note("create_vm %lu", (unsigned long)(uintptr_t)arg);
        mock.open++;
        mock.num_cpus = 0;
        return MOCK_VM + (int)mock.num_vms++;
    default:
        return MOCK_OTHER;
    }
}

static int mock_vm(unsigned long request, void *arg)
{
    const struct kvm_userspace_memory_region *m = arg;

    switch (request) {
    case KVM_CHECK_EXTENSION:
        return mock.capability[(uintptr_t)arg & 511];
    case KVM_CREATE_VCPU:
        g_assert_cmpuint((uintptr_t)arg, ==, mock.num_cpus);
        mock_note("create_vcpu %u", mock.num_cpus);
        mock.open++;
        return MOCK_CPU + (int)mock.num_cpus++;
    case KVM_SET_USER_MEMORY_REGION:
        mock_note("memory %u 0x%llx 0x%llx flags %u", m->slot, m->guest_phys_addr, m->memory_size,
                  m->flags);
        return 0;
    default:
        return MOCK_OTHER;
    }
}

static int mock_vcpu(unsigned n, unsigned long request, void *arg)
{
    const struct kvm_guest_debug *d = arg;
    int r;

    switch (request) {
    case KVM_RUN:
        r = mock.step && !mock.run[n]->immediate_exit ? mock.step(n, mock.run[n])
                                                      : mock_fail(EINTR);
        mock_note("run %u", n);
        return r;
    case KVM_SET_GUEST_DEBUG:
        mock_note("guest_debug %u 0x%x", n, d->control);
        return MOCK_OTHER;
    default:
        return MOCK_OTHER;
    }
}

static int mock_control(int fd, unsigned long request, void *arg)
{
    int r;

    if (request == mock.fail_request) {
        mock.fail_request = 0;
        mock_note("refused");
        return mock_fail(EINVAL);
    }
    r = fd == MOCK_KVM      ? mock_system(request, arg)
        : fd >= MOCK_DEVICE ? MOCK_OTHER
        : fd >= MOCK_CPU    ? mock_vcpu((unsigned)(fd - MOCK_CPU), request, arg)
                            : mock_vm(request, arg);
    r = r == MOCK_OTHER && mock.control ? mock.control(fd, request, arg) : r;
    if (r == MOCK_OTHER) {
        mock_note("unknown request 0x%lx of %d", request, fd);
        return mock_fail(ENOTTY);
    }
    return r;
}

static void mock_start(int (*control)(int fd, unsigned long request, void *arg))
{
    static const KvmKernel kernel = {.open = mock_open,
                                     .control = mock_control,
                                     .map = mock_map,
                                     .unmap = mock_unmap,
                                     .close = mock_close};
    static const unsigned there[] = {KVM_CAP_USER_MEMORY, KVM_CAP_DESTROY_MEMORY_REGION_WORKS,
                                     KVM_CAP_READONLY_MEM, KVM_CAP_IMMEDIATE_EXIT};

    mock = (KvmMock){.log = g_string_new(NULL), .control = control};
    for (unsigned i = 0; i < G_N_ELEMENTS(there); i++) {
        mock.capability[there[i]] = 1;
    }
    mock.capability[KVM_CAP_NR_MEMSLOTS] = 32;
    kvm_kernel = &kernel;
}

/* The list since the last time is this one. */
static void mock_expect(const char *text)
{
    g_assert_cmpstr(mock.log->str, ==, text);
    g_string_truncate(mock.log, 0);
}

#endif
