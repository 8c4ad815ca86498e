// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -tpmdev, its back ends and who uses them; the physical presence interface that firmware shares
 * with the guest.
 */
#include <json-c/json.h>
#include "chardev/chardev.h"
#include "emulator.h"
#include "hw/tpm/tpm.h"
#include "qapi/keyval.h"
#include "qapi/qapi-commands.h"
#include "qapi/startup.h"
#include "qom/hmp.h"
#include "util/bswap.h"
#include "util/cutils.h"
#include "util/main-loop.h"

struct TpmBackend {
    char *id;
    TpmFront *front;               /* NULL: free */
    TpmEmulator emulator;
    Bh *done_bh;                   /* answers reach the front from the main loop, without a call inside a call */
    size_t len;
};

/* TpmBackend *, of the command line: start-up only. */
static GPtrArray *backends;

static const char *const kind_names[] = { [TPM_TIS] = "tpm-tis", [TPM_CRB] = "tpm-crb" };

uint32_t tpm_size(const uint8_t *header)
{
    return load_be32(header + 2);
}

/* ---- fronts ---- */

static void deliver(void *opaque)
{
    TpmBackend *b = opaque;

    if (b->front) {
        b->front->done(b->front->dev, b->len);
    }
}

static void answered(void *opaque, size_t len)
{
    TpmBackend *b = opaque;

    b->len = len;
    bh_schedule(b->done_bh);
}

static TpmBackend *backend_find(const char *id)
{
    for (guint i = 0; backends && i < backends->len; i++) {
        TpmBackend *b = backends->pdata[i];

        if (strcmp(b->id, id) == 0) {
            return b;
        }
    }
    return NULL;
}

bool tpm_attach(TpmFront *f, Device *d, TpmKind kind, const char *backend, bool ppi, GError **error)
{
    TpmBackend *b = backend ? backend_find(backend) : NULL;

    if (!backend) {
        return fail(error, "'tpmdev' property is required");
    }
    if (!b) {
        return fail(error, "Property '%s.tpmdev' can't find value '%s'", kind_names[kind], backend);
    }
    if (tpm_of(d->vm)) {
        return fail(error, "at most one TPM device is permitted");
    }
    f->dev = d;
    f->kind = kind;
    f->backend = b;
    f->has_ppi = ppi;
    if (ppi) {
        if (!region_init_ram(&f->ppi, &d->obj, "tpm-ppi", TPM_PPI_SIZE, error)) {
            return false;
        }
        region_add(d->vm->memory, TPM_PPI_BASE, &f->ppi, 0);
    }
    b->front = f;
    vm_publish(d->vm, "tpm", f);
    return true;
}

void tpm_detach(TpmFront *f)
{
    bh_cancel(f->backend->done_bh);
    f->backend->front = NULL;
    vm_publish(f->dev->vm, "tpm", NULL);
    if (f->has_ppi) {
        region_remove(&f->ppi);
        region_fini(&f->ppi);
    }
}

bool tpm_start(TpmFront *f, size_t *size)
{
    bh_cancel(f->backend->done_bh);
    return tpm_emulator_start(&f->backend->emulator, size);
}

bool tpm_execute(TpmFront *f, uint8_t locality, size_t len)
{
    return tpm_emulator_execute(&f->backend->emulator, locality, f->buffer, len, sizeof(f->buffer));
}

void tpm_cancel(TpmFront *f)
{
    tpm_emulator_cancel(&f->backend->emulator);
}

bool tpm_established(TpmFront *f)
{
    return tpm_emulator_established(&f->backend->emulator);
}

void tpm_reset_established(TpmFront *f, uint8_t locality)
{
    tpm_emulator_reset_established(&f->backend->emulator, locality);
}

void tpm_publish(TpmFront *f, FwCfg *fw_cfg)
{
    uint8_t config[6] = { 0 };
    g_autofree uint8_t *log = g_malloc0(TPM_LOG_SIZE);

    store_le32(config, TPM_PPI_BASE);
    config[4] = 2;                 /* a TPM 2.0 */
    config[5] = 1;                 /* PPI 1.30 */
    if (f->has_ppi) {
        fw_cfg_add_file(fw_cfg, "etc/tpm/config", config, sizeof(config));
    }
    fw_cfg_add_file(fw_cfg, TPM_LOG_FILE, log, TPM_LOG_SIZE);
}

const StateField tpm_front_state[] = {
    STATE_RAW(TpmFront, buffer),
    HOST_ONLY(TpmFront, dev, "place"),
    HOST_ONLY(TpmFront, kind, "constant"),
    HOST_ONLY(TpmFront, backend, "by a property"),
    HOST_ONLY(TpmFront, done, "constant"),
    HOST_ONLY(TpmFront, ppi, "region"),
    HOST_ONLY(TpmFront, has_ppi, "property"),
    STATE_END,
};

/* ---- -tpmdev ---- */

static bool help_tpmdev(Vm *vm, const char *arg, GString *out, GError **error)
{
    g_string_append(
        out,
        "Supported TPM types (choose only one):\n    emulator   TPM emulator backend driver\n");
    return true;
}

static bool opt_tpmdev(Vm *vm, const char *arg, GError **error)
{
    struct json_object *kv = keyval_parse(arg, "type", error);

    if (!kv) {
        return false;
    }
    const char *type = keyval_get(kv, "type"), *id = keyval_get(kv, "id"),
               *chardev = keyval_get(kv, "chardev");
    bool ok = false;

    if (!type || strcmp(type, "emulator") != 0) {
        fail(error,
             "Parameter 'type' expects a TPM backend type, which '%s' is not (there is: emulator)",
             type ? type : "");
    } else if (!id) {
        fail(error, "Parameter 'id' is missing");
    } else if (!chardev) {
        fail(error, "tpm-emulator: parameter 'chardev' is missing");
    } else if (backends && backends->len) {
        fail(error, "Only one TPM is allowed.");
    } else {
        TpmBackend *b = g_new0(TpmBackend, 1);

        b->id = g_strdup(id);
        b->emulator =
            (TpmEmulator){.chardev = g_strdup(chardev), .data = -1, .done = answered, .opaque = b};
        b->done_bh = bh_new(deliver, b);
        if (!backends) {
            backends = g_ptr_array_new();
        }
        g_ptr_array_add(backends, b);
        ok = true;
    }
    json_object_put(kv);
    return ok;
}

static const OptDesc tpmdev_params[] = {
    { "type", OPT_STRING }, { "id", OPT_STRING }, { "chardev", OPT_STRING }, { NULL },
};

OPTION(tpmdev, {.name = "tpmdev",
                .handle = opt_tpmdev,
                .help = help_tpmdev,
                .params = tpmdev_params,
                .group = "tpmdev"});

/* Sockets are there by now. */
static bool open_backends(Vm *vm, GError **error)
{
    for (guint i = 0; backends && i < backends->len; i++) {
        if (!tpm_emulator_open(&((TpmBackend *)backends->pdata[i])->emulator, error)) {
            return false;
        }
    }
    return true;
}

static void close_backends(Vm *vm)
{
    for (guint i = 0; backends && i < backends->len; i++) {
        TpmBackend *b = backends->pdata[i];

        tpm_emulator_close(&b->emulator);
        bh_free(b->done_bh);
        g_free(b->emulator.chardev);
        g_free(b->id);
        g_free(b);
    }
    g_clear_pointer(&backends, g_ptr_array_unref);
}

START_HOOK(tpm,
           {.phase = START_OBJECT, .name = "tpm", .start = open_backends, .stop = close_backends});

/* ---- monitor ---- */

GArray *qmp_query_tpm_models(QmpCall *call, GError **error)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(int));
    const int models[] = { TPM_MODEL_TPM_TIS, TPM_MODEL_TPM_CRB };

    g_array_append_vals(list, models, ARRAY_COUNT(models));
    return list;
}

GArray *qmp_query_tpm_types(QmpCall *call, GError **error)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(int));
    const int type = TPM_TYPE_EMULATOR;

    g_array_append_val(list, type);
    return list;
}

GPtrArray *qmp_query_tpm(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    for (guint i = 0; backends && i < backends->len; i++) {
        const TpmBackend *b = backends->pdata[i];

        if (b->front) {
            TPMInfo *info = g_new0(TPMInfo, 1);

            info->id = g_strdup(b->id);
            info->model = b->front->kind == TPM_TIS ? TPM_MODEL_TPM_TIS : TPM_MODEL_TPM_CRB;
            info->options = g_new0(TpmTypeOptions, 1);
            info->options->type = TPM_TYPE_EMULATOR;
            info->options->u.emulator = g_new0(TPMEmulatorOptionsWrapper, 1);
            info->options->u.emulator->data = g_new0(TPMEmulatorOptions, 1);
            info->options->u.emulator->data->chardev = g_strdup(b->emulator.chardev);
            g_ptr_array_add(list, info);
        }
    }
    return list;
}

static void hmp_info_tpm(HmpCall *call, GError **error)
{
    g_string_append(call->out, "TPM device:\n");
    for (guint i = 0; backends && i < backends->len; i++) {
        const TpmBackend *b = backends->pdata[i];

        if (b->front) {
            g_string_append_printf(call->out,
                                   " tpm%u: model=%s\n  \\ %s: type=emulator,chardev=%s\n", i,
                                   kind_names[b->front->kind], b->id, b->emulator.chardev);
        }
    }
}

HMP_INFO(tpm, hmp_info_tpm, "", "show the TPM device");
