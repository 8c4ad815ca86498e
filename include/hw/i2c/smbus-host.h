// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SMBus host controller that PIIX4 and the ICH family have (Intel 290562, 7.3; 316972, 20.2).
 * Its owner shows the registers as a bank of ports and drives its interrupt.
 */
#ifndef HW_I2C_SMBUS_HOST_H
#define HW_I2C_SMBUS_HOST_H

#include "hw/i2c/i2c.h"

#define SMBUS_HOST_PORTS 16
#define SMBUS_BLOCK_MAX 32

typedef struct SmbusHost {
    I2cBus i2c;
    void (*set_irq)(Device *owner, int level); /* NULL: none */
    uint8_t status, control, command, address, data0, data1, block_byte, aux_status, aux_control;
    uint8_t buffer[SMBUS_BLOCK_MAX]; /* of blocks; at: the next one through the port */
    uint8_t at, left; /* byte by byte: how many are to come */
    bool receiving;
    bool always_buffered; /* blocks: PIIX4 */
} SmbusHost;
extern const StateField smbus_host_state[];

void smbus_host_init(SmbusHost *h, Device *owner, void (*set_irq)(Device *owner, int level));
void smbus_host_reset(SmbusHost *h);
uint8_t smbus_host_read(SmbusHost *h, unsigned offset);
void smbus_host_write(SmbusHost *h, unsigned offset, uint8_t value);

#endif
