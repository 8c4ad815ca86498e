// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmcoreinfo: a file of fw_cfg into which a guest writes where its kernel's notes for dumps lie
 * (Linux: drivers/firmware/qemu_fw_cfg.c): formats of guest and host, size, address.
 */
#include "hw/nvram/fw_cfg.h"
#include "qom/vm.h"
#include "util/bswap.h"
#include "util/error.h"

#define FILE_NAME "etc/vmcoreinfo"
#define PUBLISHED "vmcoreinfo"

enum {
    BYTES = 16,
    HOST_FORMAT = 0,            /* offsets */
    GUEST_FORMAT = 2,
    FORMAT_ELF = 1,
};

typedef struct VmCoreInfo {
    Device dev;
    bool has_info;
    uint8_t info[BYTES];        /* as it is in the file */
} VmCoreInfo;

static void written(void *opaque, const uint8_t *data, size_t len)
{
    VmCoreInfo *s = opaque;

    if (len == BYTES) {
        memcpy(s->info, data, BYTES);
        s->has_info = load_le16(data + GUEST_FORMAT) == FORMAT_ELF;
    }
}

static bool vmcoreinfo_realize(Device *d, GError **error)
{
    VmCoreInfo *s = (VmCoreInfo *)d;
    FwCfg *f = fw_cfg_find(d->vm);

    if (vm_published(d->vm, PUBLISHED)) {
        return fail(error, "at most one vmcoreinfo device is permitted");
    }
    if (!f) {
        return fail(error, "vmcoreinfo device requires fw_cfg with DMA");
    }
    store_le16(s->info + HOST_FORMAT, FORMAT_ELF);
    if (!fw_cfg_add_writable_file(f, FILE_NAME, s->info, BYTES, written, s)) {
        return fail(error, "vmcoreinfo: there is no room in fw_cfg");
    }
    vm_publish(d->vm, PUBLISHED, s);
    return true;
}

static void vmcoreinfo_reset(Device *d)
{
    VmCoreInfo *s = (VmCoreInfo *)d;

    s->has_info = false;
    memset(s->info, 0, BYTES);
    store_le16(s->info + HOST_FORMAT, FORMAT_ELF);
    fw_cfg_update_file(fw_cfg_find(d->vm), FILE_NAME, s->info, BYTES);
}

static void vmcoreinfo_loaded(Device *d)
{
    fw_cfg_update_file(fw_cfg_find(d->vm), FILE_NAME, ((VmCoreInfo *)d)->info, BYTES);
}

static const StateField vmcoreinfo_state[] = {
    STATE(VmCoreInfo, has_info),
    STATE_RAW(VmCoreInfo, info),
    STATE_END,
};

static const DeviceType vmcoreinfo_type = {
    .name = "vmcoreinfo", .category = "misc", .desc = "Where the guest's notes for dumps are",
    .size = sizeof(VmCoreInfo), .state_version = 1, .state = vmcoreinfo_state,
    .realize = vmcoreinfo_realize, .reset = vmcoreinfo_reset, .post_load = vmcoreinfo_loaded,
};
DEVICE_TYPE(vmcoreinfo_type);
