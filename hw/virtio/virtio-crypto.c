// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio crypto device (Virtual I/O Device 1.2, 5.9) and its back end cryptodev-backend-builtin:
 * AES in four modes and hashes, by the library that disk encryption uses. Requests are carried out
 * in the main loop, a bounded amount at a time. Left out: MAC, AEAD, akcipher, chaining.
 */
#include "hw/virtio/virtio.h"
#include "util/bswap.h"
#include "util/cipher.h"
#include "util/error.h"

#define MAX_SESSIONS 256u
#define MAX_KEY 64u
#define MAX_AUTH_KEY 512u
#define MAX_REQUEST (1u << 20) /* bytes of data; also the most in one go */
#define QUEUE_SIZE 1024
#define HEADER 72u /* of both kinds of requests */
#define SESSION_INPUT 16u

enum {
    STATUS_OK,
    STATUS_ERR,
    STATUS_BADMSG,
    STATUS_NOTSUPP,
    STATUS_INVSESS,
    STATUS_NOSPC
};
/* Opcodes: the service in the upper byte. */
enum {
    CIPHER_CREATE = 0x0002,
    CIPHER_DESTROY = 0x0003,
    HASH_CREATE = 0x0102,
    HASH_DESTROY = 0x0103,
    CIPHER_ENCRYPT = 0x0000,
    CIPHER_DECRYPT = 0x0001,
    HASH_RUN = 0x0100
};
enum {
    SERVICE_CIPHER = 1 << 0,
    SERVICE_HASH = 1 << 1
};
#define SYM_OP_CIPHER 1u

typedef enum SessionKind {
    SESSION_FREE,
    SESSION_CIPHER,
    SESSION_HASH
} SessionKind;

typedef struct CryptoSession {
    uint8_t kind; /* SessionKind */
    uint32_t algo, key_len;
    uint8_t key[MAX_KEY];
    Cipher *cipher; /* made of the key when it is needed */
} CryptoSession;

typedef struct VirtioCrypto {
    VirtioDevice v;
    Object *cryptodev;
    CryptoSession sessions[MAX_SESSIONS];
} VirtioCrypto;

/* The back end: what it can do is all here. */
typedef struct CryptoBackend {
    Object obj;
    uint32_t queues;
} CryptoBackend;

/* ---- algorithms ---- */

static const char *cipher_mode(uint32_t algo)
{
    switch (algo) {
    case 2:
        return "ecb";
    case 3:
        return "cbc";
    case 4:
        return "ctr";
    case 13:
        return "xts";
    default:
        return NULL;
    }
}
#define CIPHERS (1u << 2 | 1u << 3 | 1u << 4 | 1u << 13)

static const HashAlg *hash_of(uint32_t algo)
{
    static const char *const names[] = {NULL,     "md5",    "sha1",  "sha224",
                                        "sha256", "sha384", "sha512"};

    return algo && algo < ARRAY_COUNT(names) ? hash_find(names[algo]) : NULL;
}
#define HASHES 0x7eu

static Cipher *cipher_of(CryptoSession *s)
{
    static const struct {
        uint32_t bytes;
        const char *name;
    } keys[] = {{16, "aes-128"}, {24, "aes-192"}, {32, "aes-256"}};
    const char *mode = cipher_mode(s->algo);
    uint32_t bytes = s->algo == 13 ? s->key_len / 2 : s->key_len;

    for (unsigned i = 0; !s->cipher && mode && i < ARRAY_COUNT(keys); i++) {
        if (keys[i].bytes == bytes) {
            s->cipher = cipher_new(keys[i].name, mode, s->key, s->key_len);
        }
    }
    return s->cipher;
}

static void session_end(CryptoSession *s)
{
    g_clear_pointer(&s->cipher, cipher_free);
    explicit_bzero(s, sizeof(*s));
}

/* ---- the control queue, 5.9.7.2 ---- */

static uint32_t session_create(VirtioCrypto *c, const VirtqElem *e, const uint8_t *q, uint64_t *id)
{
    bool cipher = load_le32(q) == CIPHER_CREATE;
    CryptoSession *s = NULL;

    for (*id = 0; *id < MAX_SESSIONS; ++*id) {
        if (c->sessions[*id].kind == SESSION_FREE) {
            s = &c->sessions[*id];
            break;
        }
    }
    if (!s) {
        return STATUS_NOSPC;
    }
    s->algo = load_le32(q + 16);
    if (!cipher) {
        if (!hash_of(s->algo)) {
            return STATUS_NOTSUPP;
        }
        s->kind = SESSION_HASH;
        return STATUS_OK;
    }
    s->key_len = load_le32(q + 20);
    if (load_le32(q + 64) != SYM_OP_CIPHER || !cipher_mode(s->algo)) {
        return STATUS_NOTSUPP;
    }
    if (s->key_len > MAX_KEY || virtq_read(&c->v, e, HEADER, s->key, s->key_len) != s->key_len ||
        !cipher_of(s)) {
        session_end(s);
        return STATUS_ERR;
    }
    s->kind = SESSION_CIPHER;
    return STATUS_OK;
}

static uint32_t session_destroy(VirtioCrypto *c, const uint8_t *q)
{
    uint64_t id = load_le64(q + 16);

    if (id >= MAX_SESSIONS || c->sessions[id].kind == SESSION_FREE) {
        return STATUS_INVSESS;
    }
    session_end(&c->sessions[id]);
    return STATUS_OK;
}

static uint32_t control_request(VirtioCrypto *c, const VirtqElem *e)
{
    uint8_t q[HEADER] = {0}, answer[SESSION_INPUT] = {0};
    uint64_t id = 0;
    uint32_t status;

    virtq_read(&c->v, e, 0, q, sizeof(q));
    switch (load_le32(q)) {
    case CIPHER_DESTROY:
    case HASH_DESTROY:
        answer[0] = session_destroy(c, q);
        return virtq_write(&c->v, e, 0, answer, 1);
    case CIPHER_CREATE:
    case HASH_CREATE:
        status = session_create(c, e, q, &id);
        break;
    default:
        status = STATUS_NOTSUPP;
    }
    store_le64(answer, id);
    store_le32(answer + 8, status);
    return virtq_write(&c->v, e, 0, answer, sizeof(answer));
}

/* ---- the data queue, 5.9.7.4 ---- */

static uint8_t run_cipher(VirtioCrypto *c, const VirtqElem *e, const uint8_t *q, CryptoSession *s,
                          uint32_t *len)
{
    uint32_t iv_len = load_le32(q + 24), src = load_le32(q + 28), dst = load_le32(q + 32);
    uint8_t iv[CIPHER_MAX_BLOCK] = {0};
    Cipher *cipher = cipher_of(s);

    if (load_le32(q + 64) != SYM_OP_CIPHER || !cipher) {
        return STATUS_NOTSUPP;
    }
    if (src > MAX_REQUEST || dst < src || src % cipher_block_bytes(cipher) || iv_len > sizeof(iv) ||
        (s->algo != 2 && iv_len != cipher_block_bytes(cipher)) || src >= e->in_len) {
        return STATUS_ERR;
    }
    g_autofree uint8_t *buf = g_malloc(src + 1);

    if (virtq_read(&c->v, e, HEADER, iv, iv_len) != iv_len ||
        virtq_read(&c->v, e, (uint64_t)HEADER + iv_len, buf, src) != src) {
        return STATUS_BADMSG;
    }
    (load_le32(q) == CIPHER_ENCRYPT ? cipher_encrypt : cipher_decrypt)(cipher, iv, buf, src);
    *len = virtq_write(&c->v, e, 0, buf, src);
    return STATUS_OK;
}

static uint8_t run_hash(VirtioCrypto *c, const VirtqElem *e, const uint8_t *q,
                        const CryptoSession *s, uint32_t *len)
{
    uint32_t src = load_le32(q + 24), dst = load_le32(q + 28);
    const HashAlg *h = hash_of(s->algo);
    uint8_t digest[HASH_MAX];

    if (src > MAX_REQUEST || dst > hash_bytes(h) || dst >= e->in_len) {
        return STATUS_ERR;
    }
    g_autofree uint8_t *buf = g_malloc(src + 1);

    if (virtq_read(&c->v, e, HEADER, buf, src) != src) {
        return STATUS_BADMSG;
    }
    hash_digest(h, buf, src, NULL, 0, digest);
    *len = virtq_write(&c->v, e, 0, digest, dst);
    return STATUS_OK;
}

/* The bytes of data that it was, to bound what is done in one go. */
static uint32_t data_request(VirtioCrypto *c, const VirtqElem *e, uint32_t *len)
{
    uint8_t q[HEADER] = {0}, status;
    uint32_t op;
    uint64_t id;
    CryptoSession *s;

    virtq_read(&c->v, e, 0, q, sizeof(q));
    op = load_le32(q);
    id = load_le64(q + 8);
    s = id < MAX_SESSIONS ? &c->sessions[id] : NULL;
    *len = 0;
    if (op != CIPHER_ENCRYPT && op != CIPHER_DECRYPT && op != HASH_RUN) {
        status = STATUS_NOTSUPP;
    } else if (!s || s->kind != (op == HASH_RUN ? SESSION_HASH : SESSION_CIPHER)) {
        status = STATUS_INVSESS;
    } else {
        status = op == HASH_RUN ? run_hash(c, e, q, s, len) : run_cipher(c, e, q, s, len);
    }
    if (e->in_len) {
        *len += virtq_write(&c->v, e, e->in_len - 1, &status, 1);
    }
    return MIN(e->out_len, MAX_REQUEST);
}

static void crypto_notify(VirtioDevice *v, unsigned n)
{
    VirtioCrypto *c = (VirtioCrypto *)v;
    bool control = n == v->num_queues - 1;
    uint32_t done = 0;
    VirtqElem *e;

    while (done < MAX_REQUEST && (e = virtq_pop(v, &v->vq[n])) != NULL) {
        uint32_t len;

        if (e->out_len < HEADER || e->in_len < 1) {
            virtio_error(v, "request without a header or room for its status");
            g_free(e);
            return;
        }
        if (control) {
            len = control_request(c, e);
            done += HEADER;
        } else {
            done += data_request(c, e, &len);
        }
        virtq_push(v, e, len);
        g_free(e);
    }
    virtq_notify(v, &v->vq[n]);
    if (done >= MAX_REQUEST) {
        virtio_kick(v, n); /* others get their turn */
    }
}

/* ---- the device ---- */

static void crypto_config(VirtioDevice *v)
{
    const VirtioCrypto *c = (VirtioCrypto *)v;
    const uint32_t words[] = {
        1, /* ready */
        ((CryptoBackend *)c->cryptodev)->queues,
        SERVICE_CIPHER | SERVICE_HASH,
        CIPHERS,
        0,
        HASHES,
        0,
        0,
        0,
        MAX_KEY,
        MAX_AUTH_KEY,
        0,
    };

    for (unsigned i = 0; i < ARRAY_COUNT(words); i++) {
        store_le32(v->config + 4 * i, words[i]);
    }
    store_le64(v->config + 48, MAX_REQUEST);
}

static uint64_t crypto_features(VirtioDevice *v)
{
    return 0;
}

static void crypto_reset(VirtioDevice *v)
{
    VirtioCrypto *c = (VirtioCrypto *)v;

    for (unsigned i = 0; i < MAX_SESSIONS; i++) {
        session_end(&c->sessions[i]);
    }
}

/* Nothing is under way between two calls. */
static void crypto_queue_reset(VirtioDevice *v, unsigned n)
{
}

static bool crypto_realize(VirtioDevice *v, GError **error)
{
    VirtioCrypto *c = (VirtioCrypto *)v;

    if (!c->cryptodev) {
        return fail(error, "'cryptodev' parameter expects a valid object");
    }
    for (uint32_t i = 0; i <= ((CryptoBackend *)c->cryptodev)->queues; i++) {
        virtio_add_queue(v, QUEUE_SIZE);
    }
    return true;
}

static const Prop crypto_props[] = {
    PROP_LINK(VirtioCrypto, cryptodev, "cryptodev", "cryptodev-backend"),
    PROP_END,
};

static const StateField crypto_session_state[] = {
    STATE(CryptoSession, kind),
    STATE(CryptoSession, algo),
    STATE_COUNT(CryptoSession, key_len, key),
    STATE_ARRAY(CryptoSession, key),
    HOST_ONLY(CryptoSession, cipher, "made of the key"),
    STATE_END,
};
static const StateField crypto_state[] = {
    STATE_STRUCTS(VirtioCrypto, sessions, crypto_session_state), STATE_END};

static const VirtioType crypto_type = {
    .name = "virtio-crypto", .desc = "Cryptography", .category = "misc",
    .id = 20, .pci_class = 0x00ff00, .size = sizeof(VirtioCrypto), .config_size = 56, .vectors = 2,
    .props = crypto_props, .state = crypto_state,
    .realize = crypto_realize, .unrealize = crypto_reset, .reset = crypto_reset, .features = crypto_features,
    .config_read = crypto_config, .notify = crypto_notify, .queue_reset = crypto_queue_reset,
};
VIRTIO_TYPE(crypto_type);

/* ---- back ends ---- */

static bool crypto_builtin_complete(Object *o, GError **error)
{
    if (((CryptoBackend *)o)->queues != 1) {
        return fail(error, "Only support one queue in cryptdov-builtin backend");
    }
    return true;
}

static const Prop crypto_builtin_props[] = {
    PROP_U32(CryptoBackend, queues, "queues", 1),
    PROP_END,
};

static const ObjectType crypto_backend_type = {.name = "cryptodev-backend", .abstract = true};
OBJECT_TYPE(crypto_backend_type);
static const ObjectType crypto_builtin_type = {
    .name = "cryptodev-backend-builtin", .parent = "cryptodev-backend", .size = sizeof(CryptoBackend),
    .user_creatable = true, .props = crypto_builtin_props, .complete = crypto_builtin_complete,
};
OBJECT_TYPE(crypto_builtin_type);
