// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The object type `secret`: bytes that other options need but that must not be seen on a
 * command line. Secrets encrypted by another secret (keyid) are refused, not misread.
 */
#include "qom/secret.h"

#include <string.h>

#include "qom/object.h"
#include "util/error.h"

typedef struct Secret {
    Object obj;
    char *data, *file, *keyid, *iv;
    int format;
    uint8_t *bytes;
    size_t len;
} Secret;

static bool secret_complete(Object *obj, GError **error)
{
    Secret *s = (Secret *)obj;
    g_autofree char *text = NULL;
    g_autoptr(GError) why = NULL;
    gsize len;

    if (s->keyid || s->iv) {
        return fail(error, "secret: encrypted secrets ('keyid') are not supported yet");
    }
    if ((s->data != NULL) == (s->file != NULL)) {
        return fail(error, s->data ? "'file' and 'data' are mutually exclusive"
                                   : "Either 'file' or 'data' must be provided");
    }
    if (s->data) {
        text = g_strdup(s->data);
        len = strlen(text);
    } else if (!g_file_get_contents(s->file, &text, &len, &why)) {
        return fail(error, "Unable to read %s: %s", s->file, why->message);
    }
    if (s->format) {
        g_strstrip(text);
        if (strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "+/=\r\n") != strlen(text)) {
            return fail(error, "Base64 data is not valid");
        }
        s->bytes = g_base64_decode(text, &len);
    } else {
        s->bytes = (uint8_t *)g_steal_pointer(&text);
    }
    s->len = len;
    return true;
}

static void secret_finalize(Object *obj)
{
    Secret *s = (Secret *)obj;

    if (s->bytes) {
        explicit_bzero(s->bytes, s->len);
        g_free(s->bytes);
    }
}

static const char *const formats[] = { "raw", "base64", NULL };

static const Prop secret_props[] = {
    PROP_STRING(Secret, data, "data", .help = "the secret itself"),
    PROP_STRING(Secret, file, "file", .help = "file with the secret"),
    PROP_STRING(Secret, keyid, "keyid", .help = "not supported yet"),
    PROP_STRING(Secret, iv, "iv", .help = "not supported yet"),
    PROP_ENUM(Secret, format, "format", 0, formats, .link = "QCryptoSecretFormat",
              .help = "raw or base64"),
    PROP_END,
};

static const ObjectType secret_type = {
    .name = "secret", .desc = "Bytes that are to stay unseen", .size = sizeof(Secret),
    .props = secret_props, .user_creatable = true, .early = true, .complete = secret_complete,
    .finalize = secret_finalize,
};
OBJECT_TYPE(secret_type);

const uint8_t *secret_bytes(const char *id, size_t *len, GError **error)
{
    Object *obj = object_child(object_container("/objects"), id);

    if (!obj || obj->type != &secret_type) {
        return fail_null(error, "No secret with id '%s'", id);
    }
    *len = ((Secret *)obj)->len;
    return ((Secret *)obj)->bytes;
}
