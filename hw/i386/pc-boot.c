// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The order of device classes in a PC's CMOS: -boot order=, once=, and whether floppies' boot
 * signatures are checked.
 */
#include "hw/i386/pc.h"
#include "hw/rtc/mc146818.h"

#define CMOS_SHUTDOWN_STATUS 0x0f
#define SHUTDOWN_S3_RESUME 0xfe
#define CMOS_BOOT_THIRD 0x38 /* high half; bit 0: no check of floppies' signature */
#define CMOS_BOOT_FIRST 0x3d /* low half, second in the high half */
#define MAX_CLASSES 3

static bool boot_class(char letter, uint8_t *code)
{
    static const struct {
        char letter;
        uint8_t code;
    } classes[] = {
        {'a', 1}, {'b', 1}, {'c', 2}, {'d', 3}, {'n', 4},
    };

    for (unsigned i = 0; i < ARRAY_COUNT(classes); i++) {
        if (classes[i].letter == letter) {
            *code = classes[i].code;
            return true;
        }
    }
    return false;
}

bool pc_set_boot_order(PcBoard *b, const char *order, GError **error)
{
    uint8_t codes[MAX_CLASSES] = {0};

    if (strlen(order) > MAX_CLASSES) {
        return fail(error, "Too many boot devices for PC");
    }
    for (unsigned i = 0; order[i]; i++) {
        if (!boot_class(order[i], &codes[i])) {
            return fail(error, "Invalid boot device for PC: '%c'", order[i]);
        }
    }
    if (b->rtc) {
        rtc_set_cmos(b->rtc, CMOS_BOOT_FIRST, codes[1] << 4 | codes[0]);
        rtc_set_cmos(b->rtc, CMOS_BOOT_THIRD, codes[2] << 4 | !b->check_floppy);
    }
    return true;
}

/* once= is over: from the second reset on, the usual order holds. */
static void boot_once_over(void *opaque)
{
    PcBoard *b = opaque;
    g_autoptr(GError) error = NULL;

    if (b->boot_once_resets++ == 1) {
        pc_set_boot_order(b, b->vm->boot_order ? b->vm->boot_order : PC_BOOT_ORDER, &error);
    }
}

/* Firmware looks here after the reset that ends S3, and then resumes instead of booting. */
static void boot_suspended(void *opaque)
{
    PcBoard *b = opaque;

    if (b->rtc) {
        rtc_set_cmos(b->rtc, CMOS_SHUTDOWN_STATUS, SHUTDOWN_S3_RESUME);
    }
}

bool pc_publish_boot(PcBoard *b, GError **error)
{
    Vm *vm = b->vm;
    const char *order = vm->boot_order ? vm->boot_order : PC_BOOT_ORDER;

    if (!pc_set_boot_order(b, order, error) ||
        (vm->boot_once && !pc_set_boot_order(b, vm->boot_once, error))) {
        return false;
    }
    suspend_watch(boot_suspended, b);
    if (vm->boot_once) {
        vm_reset_add(vm, boot_once_over, b);
    }
    fw_cfg_add_u16(b->fw_cfg, FW_CFG_BOOT_MENU, vm->boot_menu);
    fw_cfg_add_u16(b->fw_cfg, FW_CFG_BOOT_DEVICE, 'c');
    return true;
}
