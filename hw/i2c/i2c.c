// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The I2C bus: finds who has an address and passes conditions and bytes on (NXP UM10204, 3.1).
 * Ten-bit addresses, general calls, clock stretching and several controllers are left out.
 */
#include "hw/i2c/i2c.h"
#include "qom/prop.h"

static const I2cInfo *i2c_info(const Device *d)
{
    return device_type(d)->bus_info;
}

static Device *i2c_find(I2cBus *b, unsigned address)
{
    for (unsigned i = 0; i < b->bus.devices->len; i++) {
        Device *d = g_ptr_array_index(b->bus.devices, i);

        if (((I2cDevice *)d)->address == address) {
            return d;
        }
    }
    return NULL;
}

/* Whom the open transfer is with. */
static Device *i2c_target(I2cBus *b)
{
    return b->active ? i2c_find(b, b->active - 1) : NULL;
}

bool i2c_start(I2cBus *b, uint8_t address, bool read)
{
    if (b->active && b->active - 1 != address) {
        i2c_stop(b);
    }
    Device *d = i2c_find(b, address);

    if (!d || (i2c_info(d)->start && !i2c_info(d)->start(d, read))) {
        b->active = 0;
        return false;
    }
    b->active = address + 1;
    return true;
}

bool i2c_write(I2cBus *b, uint8_t byte)
{
    Device *d = i2c_target(b);

    return d && (!i2c_info(d)->write || i2c_info(d)->write(d, byte));
}

uint8_t i2c_read(I2cBus *b)
{
    Device *d = i2c_target(b);

    return d && i2c_info(d)->read ? i2c_info(d)->read(d) : 0xff;
}

void i2c_stop(I2cBus *b)
{
    Device *d = i2c_target(b);

    b->active = 0;
    if (d && i2c_info(d)->stop) {
        i2c_info(d)->stop(d);
    }
}

void i2c_bus_reset(I2cBus *b)
{
    b->active = 0;
}

static bool i2c_attach(Bus *bus, Device *d, GError **error)
{
    I2cDevice *s = (I2cDevice *)d;

    if (i2c_find((I2cBus *)bus, s->address) != d && i2c_find((I2cBus *)bus, s->address)) {
        return fail(error, "%s: address 0x%02x of bus '%s' is taken", d->obj.type->name, s->address,
                    bus->obj.name);
    }
    return true;
}

static char *i2c_address(Bus *bus, Device *d)
{
    return g_strdup_printf("%02x", ((I2cDevice *)d)->address);
}

const BusType i2c_bus_type = {
    .name = "i2c-bus",
    .desc = "I2C bus",
    .size = sizeof(I2cBus),
    .attach = i2c_attach,
    .address = i2c_address,
};
BUS_TYPE(i2c_bus_type);

const StateField i2c_bus_state[] = {
    HOST_ONLY(I2cBus, bus, "its devices have state of their own"),
    STATE(I2cBus, active),
    STATE_END,
};

void i2c_bus_init(I2cBus *b, Device *controller, const char *name)
{
    bus_init(&b->bus, &i2c_bus_type, controller, name);
    b->active = 0;
}

Device *i2c_create(I2cBus *b, const char *type, uint8_t address, GError **error)
{
    g_autofree char *text = g_strdup_printf("%u", address);

    return device_create(b->bus.vm, type, &b->bus, NULL, error, "address", text, NULL);
}
