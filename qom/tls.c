// SPDX-License-Identifier: GPL-2.0-or-later
/* TLS by gnutls: the credentials' object types, and sessions. */
#include "qom/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "lazy/gnutls.h"
#include "qom/authz.h"
#include "qom/object.h"
#include "util/error.h"

typedef enum CredsKind { CREDS_ANON, CREDS_PSK, CREDS_X509 } CredsKind;

typedef struct TlsCreds {
    Object obj;
    char *dir, *priority, *username, *passwordid;
    int endpoint;               /* 0 client, 1 server */
    bool verify_peer, sanity_check;
    gnutls_anon_client_credentials_t anon_client;
    gnutls_anon_server_credentials_t anon_server;
    gnutls_psk_client_credentials_t psk_client;
    gnutls_psk_server_credentials_t psk_server;
    gnutls_certificate_credentials_t x509;
} TlsCreds;

struct TlsSession {
    gnutls_session_t session;
    TlsCreds *creds;
    char *hostname, *authz;     /* NULL: any peer */
    bool done, server;
};

static const ObjectType anon_type, psk_type, x509_type;

static bool has_file(const TlsCreds *c, const char *name)
{
    g_autofree char *path = g_build_filename(c->dir, name, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static bool need_dir(const TlsCreds *c, GError **error)
{
    return c->dir || fail(error, "Missing 'dir' property value");
}

static bool need_library(GError **error)
{
    return lazy_library_load(&lazy_gnutls, error);
}

static bool anon_complete(Object *obj, GError **error)
{
    TlsCreds *c = (TlsCreds *)obj;
    int ret;

    if (!need_library(error)) {
        return false;
    }
    ret = c->endpoint ? gnutls_anon_allocate_server_credentials(&c->anon_server)
                      : gnutls_anon_allocate_client_credentials(&c->anon_client);
    if (ret < 0) {
        return fail(error, "Cannot allocate credentials: %s", gnutls_strerror(ret));
    }
    if (c->endpoint) {
        gnutls_anon_set_server_known_dh_params(c->anon_server, GNUTLS_SEC_PARAM_MEDIUM);
    }
    return true;
}

/* keys.psk has lines "user:hex". */
static char *psk_key(const TlsCreds *c, const char *user, GError **error)
{
    g_autofree char *path = g_build_filename(c->dir, "keys.psk", NULL), *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents(path, &text, NULL, error)) {
        return NULL;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **l = lines; *l; l++) {
        char *colon = strchr(*l, ':');

        if (colon && (size_t)(colon - *l) == strlen(user) && strncmp(*l, user, strlen(user)) == 0) {
            return g_strstrip(g_strdup(colon + 1));
        }
    }
    return fail_null(error, "Username %s not found in %s", user, path);
}

static bool psk_complete(Object *obj, GError **error)
{
    TlsCreds *c = (TlsCreds *)obj;
    g_autofree char *key = NULL;
    int ret;

    if (!need_dir(c, error) || !need_library(error)) {
        return false;
    }
    if (c->endpoint) {
        g_autofree char *path = g_build_filename(c->dir, "keys.psk", NULL);

        if (c->username) {
            return fail(error, "username should not be set when endpoint=server");
        }
        if (!has_file(c, "keys.psk")) {
            return fail(error, "Unable to access credentials %s: %s", path, g_strerror(ENOENT));
        }
        ret = gnutls_psk_allocate_server_credentials(&c->psk_server);
        ret = ret < 0 ? ret : gnutls_psk_set_server_credentials_file(c->psk_server, path);
        if (ret >= 0) {
            gnutls_psk_set_server_known_dh_params(c->psk_server, GNUTLS_SEC_PARAM_MEDIUM);
        }
    } else {
        const char *user = c->username ? c->username : "qemu";
        gnutls_datum_t datum;

        key = psk_key(c, user, error);
        if (!key) {
            return false;
        }
        datum = (gnutls_datum_t){ (unsigned char *)key, (unsigned)strlen(key) };
        ret = gnutls_psk_allocate_client_credentials(&c->psk_client);
        ret = ret < 0 ? ret
                      : gnutls_psk_set_client_credentials(c->psk_client, user, &datum,
                                                          GNUTLS_PSK_KEY_HEX);
    }
    return ret >= 0 || fail(error, "Cannot set PSK credentials: %s", gnutls_strerror(ret));
}

static bool load_pair(TlsCreds *c, const char *cert, const char *key, bool needed, GError **error)
{
    g_autofree char *cert_path = g_build_filename(c->dir, cert, NULL),
                    *key_path = g_build_filename(c->dir, key, NULL);
    int ret;

    if (!has_file(c, cert) && !needed) {
        return true;
    }
    ret = gnutls_certificate_set_x509_key_file(c->x509, cert_path, key_path, GNUTLS_X509_FMT_PEM);
    return ret >= 0 || fail(error, "Cannot load certificate '%s' & key '%s': %s", cert_path,
                            key_path, gnutls_strerror(ret));
}

static bool x509_complete(Object *obj, GError **error)
{
    TlsCreds *c = (TlsCreds *)obj;
    g_autofree char *ca = NULL, *crl = NULL;
    int ret;

    if (!need_dir(c, error) || !need_library(error)) {
        return false;
    }
    ret = gnutls_certificate_allocate_credentials(&c->x509);
    if (ret < 0) {
        return fail(error, "Cannot allocate credentials: %s", gnutls_strerror(ret));
    }
    ca = g_build_filename(c->dir, "ca-cert.pem", NULL);
    ret = gnutls_certificate_set_x509_trust_file(c->x509, ca, GNUTLS_X509_FMT_PEM);
    if (ret < 0) {
        return fail(error, "Cannot load CA certificate '%s': %s", ca, gnutls_strerror(ret));
    }
    if (c->endpoint ? !load_pair(c, "server-cert.pem", "server-key.pem", true, error)
                    : !load_pair(c, "client-cert.pem", "client-key.pem", false, error)) {
        return false;
    }
    crl = g_build_filename(c->dir, "ca-crl.pem", NULL);
    if (has_file(c, "ca-crl.pem") &&
        gnutls_certificate_set_x509_crl_file(c->x509, crl, GNUTLS_X509_FMT_PEM) < 0) {
        return fail(error, "Cannot load CRL '%s'", crl);
    }
    if (c->endpoint) {
        gnutls_certificate_set_known_dh_params(c->x509, GNUTLS_SEC_PARAM_MEDIUM);
    }
    return true;
}

static void creds_finalize(Object *obj)
{
    TlsCreds *c = (TlsCreds *)obj;

    if (c->anon_client) {
        gnutls_anon_free_client_credentials(c->anon_client);
    }
    if (c->anon_server) {
        gnutls_anon_free_server_credentials(c->anon_server);
    }
    if (c->psk_client) {
        gnutls_psk_free_client_credentials(c->psk_client);
    }
    if (c->psk_server) {
        gnutls_psk_free_server_credentials(c->psk_server);
    }
    if (c->x509) {
        gnutls_certificate_free_credentials(c->x509);
    }
}

static const char *const endpoints[] = { "client", "server", NULL };

#define CREDS_PROPS                                                                                \
    PROP_STRING(TlsCreds, dir, "dir", .help = "folder of the keys and certificates"),              \
        PROP_ENUM(TlsCreds, endpoint, "endpoint", 0, endpoints, .link = "QCryptoTLSCredsEndpoint", \
                  .help = "which end we are"),                                                     \
        PROP_BOOL(TlsCreds, verify_peer, "verify-peer", true,                                      \
                  .help = "check the other end's certificate"),                                    \
        PROP_STRING(TlsCreds, priority, "priority", .help = "gnutls priority string")

static const Prop anon_props[] = { CREDS_PROPS, PROP_END };
static const Prop psk_props[] = {
    CREDS_PROPS, PROP_STRING(TlsCreds, username, "username", .help = "client: whose key is taken"), PROP_END,
};
static const Prop x509_props[] = {
    CREDS_PROPS, PROP_BOOL(TlsCreds, sanity_check, "sanity-check", true, .help = "check certificates when loaded"),
    PROP_STRING(TlsCreds, passwordid, "passwordid", .help = "secret that the key file is encrypted with"), PROP_END,
};

static const ObjectType anon_type = {
    .name = "tls-creds-anon", .desc = "TLS without authentication", .size = sizeof(TlsCreds), .props = anon_props,
    .user_creatable = true, .early = true, .complete = anon_complete, .finalize = creds_finalize,
};
OBJECT_TYPE(anon_type);

static const ObjectType psk_type = {
    .name = "tls-creds-psk", .desc = "TLS by keys that both ends know", .size = sizeof(TlsCreds), .props = psk_props,
    .user_creatable = true, .early = true, .complete = psk_complete, .finalize = creds_finalize,
};
OBJECT_TYPE(psk_type);

static const ObjectType x509_type = {
    .name = "tls-creds-x509", .desc = "TLS by certificates", .size = sizeof(TlsCreds), .props = x509_props,
    .user_creatable = true, .early = true, .complete = x509_complete, .finalize = creds_finalize,
};
OBJECT_TYPE(x509_type);

/* ---- sessions ---- */

static TlsCreds *find_creds(const char *id, bool server, GError **error)
{
    Object *obj = object_child(object_container("/objects"), id);
    TlsCreds *c = (TlsCreds *)obj;

    if (!obj) {
        return fail_null(error, "No TLS credentials with id '%s'", id);
    }
    if (obj->type != &anon_type && obj->type != &psk_type && obj->type != &x509_type) {
        return fail_null(error, "Object with id '%s' is not TLS credentials", id);
    }
    if ((c->endpoint != 0) != server) {
        return fail_null(error, "Expecting TLS credentials with a %s endpoint",
                         server ? "server" : "client");
    }
    return c;
}

bool tls_creds_check(const char *id, bool server, GError **error)
{
    return find_creds(id, server, error) != NULL;
}

static int set_creds(gnutls_session_t session, const TlsCreds *c, bool server)
{
    if (c->obj.type == &anon_type) {
        return gnutls_credentials_set(session, GNUTLS_CRD_ANON,
                                      server ? (void *)c->anon_server : (void *)c->anon_client);
    }
    if (c->obj.type == &psk_type) {
        return gnutls_credentials_set(session, GNUTLS_CRD_PSK,
                                      server ? (void *)c->psk_server : (void *)c->psk_client);
    }
    return gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, c->x509);
}

TlsSession *tls_session_new(const char *creds_id, bool server, int fd, const char *hostname,
                            GError **error)
{
    TlsCreds *c = find_creds(creds_id, server, error);
    TlsSession *t;
    g_autofree char *priority = NULL;
    int ret;

    if (!c) {
        return NULL;
    }
    t = g_new0(TlsSession, 1);
    t->creds = c;
    t->server = server;
    t->hostname = g_strdup(hostname);
    ret = gnutls_init(&t->session, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK);
    if (ret >= 0) {
        const char *more = c->obj.type == &anon_type ? ":+ANON-DH:+ANON-ECDH"
                           : c->obj.type == &psk_type ? ":+ECDHE-PSK:+DHE-PSK:+PSK" : "";

        priority = g_strconcat(c->priority ? c->priority : "NORMAL", more, NULL);
        ret = gnutls_priority_set_direct(t->session, priority, NULL);
    }
    ret = ret < 0 ? ret : set_creds(t->session, c, server);
    if (ret < 0) {
        fail(error, "Failed to initialize TLS session: %s", gnutls_strerror(ret));
        tls_session_free(t);
        return NULL;
    }
    if (server && c->obj.type == &x509_type) {
        gnutls_certificate_server_set_request(t->session, c->verify_peer ? GNUTLS_CERT_REQUIRE
                                                                         : GNUTLS_CERT_IGNORE);
    }
    if (!server && hostname) {
        gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, hostname, strlen(hostname));
    }
    gnutls_transport_set_int2(t->session, fd, fd);
    return t;
}

void tls_session_free(TlsSession *t)
{
    if (t) {
        if (t->session) {
            gnutls_deinit(t->session);
        }
        g_free(t->hostname);
        g_free(t->authz);
        g_free(t);
    }
}

void tls_session_authorize(TlsSession *t, const char *authz_id)
{
    g_free(t->authz);
    t->authz = g_strdup(authz_id);
}

/* The peer's distinguished name, or the name of its key. */
static char *peer_name(TlsSession *t, GError **error)
{
    const gnutls_datum_t *list;
    gnutls_x509_crt_t cert;
    char *text = NULL, name[1024];
    size_t len = sizeof(name);
    unsigned n = 0;

    if (t->creds->obj.type == &psk_type) {
        return g_strdup(gnutls_psk_server_get_username(t->session));
    }
    list = t->creds->obj.type == &x509_type ? gnutls_certificate_get_peers(t->session, &n) : NULL;
    if (!list || n == 0 || gnutls_x509_crt_init(&cert) < 0) {
        return fail_null(error, "No certificate was found");
    }
    if (gnutls_x509_crt_import(cert, &list[0], GNUTLS_X509_FMT_DER) >= 0 &&
        gnutls_x509_crt_get_dn(cert, name, &len) >= 0) {
        text = g_strndup(name, len);
    }
    gnutls_x509_crt_deinit(cert);
    return text ? text : fail_null(error, "The certificate has no name");
}

static bool check_name(TlsSession *t, GError **error)
{
    g_autofree char *name = NULL;

    if (!t->authz) {
        return true;
    }
    name = peer_name(t, error);
    return name && authz_allowed(t->authz, name, error);
}

static bool check_peer(TlsSession *t, GError **error)
{
    unsigned status;
    int ret;

    if (t->creds->obj.type != &x509_type || !t->creds->verify_peer) {
        return true;
    }
    ret = gnutls_certificate_verify_peers3(t->session, t->server ? NULL : t->hostname, &status);
    if (ret < 0) {
        return fail(error, "Verify failed: %s", gnutls_strerror(ret));
    }
    if (status != 0) {
        return fail(error, status & GNUTLS_CERT_EXPIRED ? "The certificate has expired"
                           : status & GNUTLS_CERT_UNEXPECTED_OWNER
                               ? "Certificate does not match the hostname"
                           : status & GNUTLS_CERT_SIGNER_NOT_FOUND
                               ? "The certificate hasn't got a known issuer"
                           : status & GNUTLS_CERT_REVOKED ? "The certificate has been revoked"
                                                          : "The certificate is not trusted");
    }
    return true;
}

static TlsWait direction(TlsSession *t)
{
    return gnutls_record_get_direction(t->session) ? TLS_WAIT_WRITE : TLS_WAIT_READ;
}

TlsWait tls_handshake(TlsSession *t, GError **error)
{
    int ret = gnutls_handshake(t->session);

    if (ret == GNUTLS_E_SUCCESS) {
        t->done = check_peer(t, error) && check_name(t, error);
        return t->done ? TLS_DONE : TLS_FAILED;
    }
    if (ret == GNUTLS_E_AGAIN || ret == GNUTLS_E_INTERRUPTED ||
        ret == GNUTLS_E_WARNING_ALERT_RECEIVED) {
        return direction(t);
    }
    fail(error, "TLS handshake failed: %s", gnutls_strerror(ret));
    return TLS_FAILED;
}

static ssize_t result(TlsSession *t, ssize_t ret, TlsWait *wait)
{
    if (ret >= 0) {
        return ret;
    }
    if (ret == GNUTLS_E_AGAIN || ret == GNUTLS_E_INTERRUPTED) {
        *wait = direction(t);
        errno = EAGAIN;
    } else if (ret == GNUTLS_E_PREMATURE_TERMINATION) {
        return 0;
    } else {
        errno = EIO;
    }
    return -1;
}

ssize_t tls_read(TlsSession *t, void *buf, size_t len, TlsWait *wait)
{
    return result(t, gnutls_record_recv(t->session, buf, len), wait);
}

ssize_t tls_write(TlsSession *t, const void *buf, size_t len, TlsWait *wait)
{
    return result(t, gnutls_record_send(t->session, buf, len), wait);
}

bool tls_pending(TlsSession *t)
{
    return gnutls_record_check_pending(t->session) > 0;
}

void tls_bye(TlsSession *t)
{
    if (t->done) {
        gnutls_bye(t->session, GNUTLS_SHUT_WR);
    }
}
