// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * I2C buses (NXP UM10204) and SMBus (specification 2.0) on top: a controller says what happens on
 * the wires, condition by condition, and the device with the address answers. Machine lock.
 */
#ifndef HW_I2C_I2C_H
#define HW_I2C_I2C_H

#include "qom/device.h"

#define I2C_ADDRESSES 128

/* DeviceType.bus_info of what sits on the bus; a missing function agrees and does nothing. */
typedef struct I2cInfo {
    bool (*start)(Device *d, bool read); /* addressed; false: not acknowledged */
    bool (*write)(Device *d, uint8_t byte); /* false: not acknowledged */
    uint8_t (*read)(Device *d);
    void (*stop)(Device *d);
} I2cInfo;

/* Embedded first in every device on the bus. */
typedef struct I2cDevice {
    Device dev;
    uint8_t address; /* 7 bits; property */
} I2cDevice;
#define I2C_DEVICE_PROPS(T, f) PROP_U8(T, f.address, "address", 0, .max = I2C_ADDRESSES - 1)

typedef struct I2cBus {
    Bus bus;
    uint8_t active; /* address + 1 of the open transfer, 0: none */
} I2cBus;
extern const BusType i2c_bus_type; /* "i2c-bus" */
/* The controller's rows for its bus. */
extern const StateField i2c_bus_state[];

/* As bus_init; name NULL: "i2c-bus.N". */
void i2c_bus_init(I2cBus *b, Device *controller, const char *name);
void i2c_bus_reset(I2cBus *b);
/* START, or a repeated START when a transfer is open. False: nobody there. */
bool i2c_start(I2cBus *b, uint8_t address, bool read);
bool i2c_write(I2cBus *b, uint8_t byte);
uint8_t i2c_read(I2cBus *b); /* ones when nobody drives the wire */
void i2c_stop(I2cBus *b);
/* Boards: creates and plugs a device; name, value pairs as for device_create. */
Device *i2c_create(I2cBus *b, const char *type, uint8_t address, GError **error);

/* EEPROMs at 50h and above, holding 256 bytes each of `data` (NULL: zeros). */
bool smbus_eeproms_create(I2cBus *b, unsigned n, const uint8_t *data, GError **error);

#endif
