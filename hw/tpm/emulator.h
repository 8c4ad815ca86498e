// SPDX-License-Identifier: GPL-2.0-or-later
/* A TPM in another process (swtpm), spoken to by its control channel and a channel for commands. */
#ifndef HW_TPM_EMULATOR_H
#define HW_TPM_EMULATOR_H

#include "chardev/chardev.h"
#include "qom/device.h"

typedef struct TpmEmulator {
    char *chardev;
    ChardevFe fe;
    int data;                      /* commands and answers; -1: none */
    unsigned tag;                  /* watches it */
    uint8_t locality;              /* that the other end knows; 255: none yet */
    bool busy;
    uint8_t *answer;               /* the caller's */
    size_t got, room;
    void (*done)(void *opaque, size_t len);
    void *opaque;
} TpmEmulator;

bool tpm_emulator_open(TpmEmulator *e, GError **error);
void tpm_emulator_close(TpmEmulator *e);
/* Off and on again, with a buffer of at most *size bytes. */
bool tpm_emulator_start(TpmEmulator *e, size_t *size);
bool tpm_emulator_execute(TpmEmulator *e, uint8_t locality, uint8_t *buffer, size_t len,
                          size_t room);
void tpm_emulator_cancel(TpmEmulator *e);
bool tpm_emulator_established(TpmEmulator *e);
void tpm_emulator_reset_established(TpmEmulator *e, uint8_t locality);

#endif
