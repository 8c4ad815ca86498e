// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A serial EEPROM of 256 bytes, as memory modules have for their data (JEDEC 21-C 4.1.2, Microchip
 * 24C02): the first byte written sets the address, others are stored, reads go on from there.
 * Write protection is left out.
 */
#include "hw/i2c/i2c.h"
#include "qom/prop.h"

#define EEPROM_SIZE 256
#define EEPROM_FIRST_ADDRESS 0x50

typedef struct SmbusEeprom {
    I2cDevice i2c;
    uint8_t data[EEPROM_SIZE];
    uint8_t initial[EEPROM_SIZE];
    uint8_t at;
    bool addressed; /* of this write: the address has come */
} SmbusEeprom;

static bool eeprom_start(Device *d, bool read)
{
    ((SmbusEeprom *)d)->addressed = read;
    return true;
}

static bool eeprom_write(Device *d, uint8_t byte)
{
    SmbusEeprom *s = (SmbusEeprom *)d;

    if (s->addressed) {
        s->data[s->at++] = byte;
    } else {
        s->at = byte;
        s->addressed = true;
    }
    return true;
}

static uint8_t eeprom_read(Device *d)
{
    SmbusEeprom *s = (SmbusEeprom *)d;

    return s->data[s->at++];
}

static void eeprom_reset(Device *d)
{
    SmbusEeprom *s = (SmbusEeprom *)d;

    memcpy(s->data, s->initial, sizeof(s->data));
    s->at = 0;
    s->addressed = false;
}

static const I2cInfo eeprom_i2c = {
    .start = eeprom_start, .write = eeprom_write, .read = eeprom_read};

static const Prop eeprom_props[] = {I2C_DEVICE_PROPS(SmbusEeprom, i2c), PROP_END};

static const StateField eeprom_state[] = {
    STATE_RAW(SmbusEeprom, data),
    HOST_ONLY(SmbusEeprom, initial, "constant once the machine is built"),
    STATE(SmbusEeprom, at),
    STATE(SmbusEeprom, addressed),
    STATE_END,
};

static const DeviceType eeprom_type = {
    .name = "smbus-eeprom",
    .bus = "i2c-bus",
    .category = "misc",
    .desc = "Serial EEPROM of 256 bytes",
    .internal = true,
    .bus_info = &eeprom_i2c,
    .size = sizeof(SmbusEeprom),
    .state_version = 1,
    .props = eeprom_props,
    .state = eeprom_state,
    .reset = eeprom_reset,
};
DEVICE_TYPE(eeprom_type);

bool smbus_eeproms_create(I2cBus *b, unsigned n, const uint8_t *data, GError **error)
{
    for (unsigned i = 0; i < n; i++) {
        Device *d = i2c_create(b, eeprom_type.name, EEPROM_FIRST_ADDRESS + i, error);

        if (!d) {
            return false;
        }
        if (data) {
            memcpy(((SmbusEeprom *)d)->initial, data + i * EEPROM_SIZE, EEPROM_SIZE);
        }
    }
    return true;
}
