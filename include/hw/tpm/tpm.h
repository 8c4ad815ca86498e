// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Between the interfaces of a TPM (tpm-tis, tpm-crb) and its back end (-tpmdev). Main loop or vCPU,
 * machine lock.
 */
#ifndef HW_TPM_TPM_H
#define HW_TPM_TPM_H

#include "exec/memory.h"
#include "hw/nvram/fw_cfg.h"
#include "qom/vm.h"

#define TPM_HEADER 10              /* tag 2, size 4, code 4; big-endian */
#define TPM_BUFFER 4096

typedef struct TpmBackend TpmBackend;
/* Of a device type: what it is called by QMP. */
typedef enum TpmKind { TPM_TIS, TPM_CRB } TpmKind;

/* An interface, embedded in its device. */
typedef struct TpmFront {
    Device *dev;
    TpmKind kind;
    TpmBackend *backend;
    /* The answer to tpm_execute is in `buffer`. */
    void (*done)(Device *d, size_t len);
    uint8_t buffer[TPM_BUFFER];
    Region ppi;
    bool has_ppi;
} TpmFront;
extern const StateField tpm_front_state[];

/*
 * realize: takes the back end of that id, and publishes the front as the machine's TPM; one for a
 * machine.
 */
bool tpm_attach(TpmFront *f, Device *d, TpmKind kind, const char *backend, bool ppi,
                GError **error);
void tpm_detach(TpmFront *f);
/*
 * reset: the TPM is switched off and on; its buffer holds at most *size bytes, less may be taken.
 */
bool tpm_start(TpmFront *f, size_t *size);
/* Runs the command in `buffer`; false: one runs already. done() is called from the main loop. */
bool tpm_execute(TpmFront *f, uint8_t locality, size_t len);
void tpm_cancel(TpmFront *f);
bool tpm_established(TpmFront *f);
void tpm_reset_established(TpmFront *f, uint8_t locality);
/* The command's or answer's size by its header. */
uint32_t tpm_size(const uint8_t *header);

/* The machine's TPM, NULL: none. */
static inline TpmFront *tpm_of(Vm *vm)
{
    return vm_published(vm, "tpm");
}
#define TPM_BASE 0xfed40000u
#define TPM_PPI_BASE 0xfed45000u
#define TPM_PPI_SIZE 0x400u
#define TPM_LOG_FILE "etc/tpm/log"
#define TPM_LOG_SIZE 0x10000u
/* fw_cfg files for firmware: where the PPI is, and the event log. */
void tpm_publish(TpmFront *f, FwCfg *fw_cfg);

#endif
