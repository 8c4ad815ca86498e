// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Subsystems of ARM with Cortex-M33 CPUs and the Security Extension: IoTKit (one CPU) and SSE-200
 * (two). All accesses of a CPU pass a gate that asks the memory and peripheral protection
 * controllers; rows say which one a range is behind. A board gives the rows of what it adds and its
 * slots. Start-up, machine lock.
 */
#ifndef HW_ARM_SSE_H
#define HW_ARM_SSE_H

#include "hw/arm/armv7m.h"
#include "hw/misc/tz.h"

/* Bit 28 of an address: Secure. */
#define SSE_SECURE 0x10000000u
#define SSE_BOARD_MPCS 4

typedef enum SseGateKind {
    SSE_PPC, /* unit and port of a peripheral protection controller */
    SSE_MPC, /* unit: which memory protection controller */
    SSE_SECURE_ONLY,
} SseGateKind;

/* Addresses without bit 28 stand for those with it as well, but for SSE_SECURE_ONLY. */
typedef struct SseRow {
    uint32_t base, size;
    SseGateKind kind;
    uint8_t unit, port;
} SseRow;

/* Number of the n-th MPC of the board, of that of internal SRAM bank n, for SseRow.unit. */
#define SSE_BOARD_MPC(n) (n)
#define SSE_SRAM_MPC(n) (SSE_BOARD_MPCS + (n))

/* A memory of the board behind an MPC; `again`: a second address of it, or 0. */
typedef struct SseRam {
    const char *name;
    uint32_t base, size, again;
    int8_t mpc; /* -1: behind none */
    bool readonly;
} SseRam;

typedef struct SseConfig {
    unsigned cpus; /* 1: IoTKit, 2: SSE-200 */
    const char *cpu_props[2];
    unsigned irqs; /* with the 32 of the subsystem */
    unsigned hz; /* of all but the slow clock */
    uint32_t sram_size; /* of each internal bank: one in IoTKit, four in SSE-200 */
    uint32_t vtor; /* of Secure state */
    uint8_t cpu_wait; /* CPUs that wait after reset until system control starts them */
    const SseRow *rows;
    unsigned num_rows;
    const SseRam *rams;
    unsigned num_rams;
    hwaddr mpc_regs[SSE_BOARD_MPCS]; /* addresses of the board's MPCs' registers; 0: not there */
} SseConfig;

/* Memories, CPUs, devices of the subsystem; b->intc is then what interrupt lines go to. */
bool sse_create(Board *b, const SseConfig *c, GError **error);

/* ---- system control, hw/misc/iotkit-sysctl.c ---- */

/*
 * started: CPU n may run from the vector table at vtor (after reset, too, when it does not wait);
 * else only the table is new.
 */
typedef void (*SseCpuFn)(void *opaque, unsigned n, uint32_t vtor, bool started);
void sse_sysctl_cpus(Device *sysctl, SseCpuFn fn, void *opaque);

#endif
