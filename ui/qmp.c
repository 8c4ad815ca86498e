// SPDX-License-Identifier: GPL-2.0-or-later
/* screendump, for QMP and for people. */
#include "qapi/qapi-commands.h"
#include "qom/hmp.h"
#include "ui/console.h"
#include "util/error.h"

bool qmp_screendump(QmpCall *call, const QmpScreendumpArgs *args, GError **error)
{
    const char *format = args->has_format ? image_format_name(args->format) : "ppm";

    if (args->has_head && !args->device) {
        return fail(error, "'head' must be specified together with 'device'");
    }
    Console *c =
        console_find(args->device, args->has_head ? (unsigned)CLAMP(args->head, 0, 255) : 0, error);

    return c && console_save(c, args->filename, format, error);
}

static void hmp_screendump(HmpCall *call, GError **error)
{
    int format = IMAGE_FORMAT_PPM;

    if (hmp_str(call, "format") && !qapi_enum_lookup(&qapi_type_ImageFormat, "format",
                                                     hmp_str(call, "format"), &format, error)) {
        return;
    }
    QmpScreendumpArgs args = { .filename = (char *)hmp_str(call, "filename"),
                               .device = (char *)hmp_str(call, "device"),
                               .has_head = hmp_str(call, "device") != NULL,
                               .head = hmp_int(call, "head", 0),
                               .format = (ImageFormat)format, .has_format = true };

    qmp_screendump(&(QmpCall){ .vm = call->vm }, &args, error);
}

HMP_ROW(
    screendump,
    {.name = "screendump",
     .args = "filename:s,format:s?,device:s?,head:i?",
     .params = "filename [format] [device [head]]",
     .fn = hmp_screendump,
     .help = "save screen from head 'head' of display device 'device' in 'format' (png or ppm)"});
