// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disks on web and FTP servers, read-only (libcurl). Each read is a range request in a worker
 * thread, on one of a few connections; what was read ahead is kept with the connection.
 */
#include <curl/curl.h>
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "block/driver.h"
#include "lazy/curl.h"
#include "qom/secret.h"
#include "util/error.h"
#include "util/iov.h"

#define MAX_HANDLES 8u
#define DEFAULT_READAHEAD (256 * KIB)
#define DEFAULT_TIMEOUT 5u
#define MAX_READAHEAD (64 * MIB)
#define SECTOR 512u

typedef struct CurlHandle {
    CURL *curl;
    bool busy;
    uint8_t *buf;               /* what was read last */
    size_t room, have;
    uint64_t at;
    char message[CURL_ERROR_SIZE];
} CurlHandle;

typedef struct CurlState {
    char *url, *cookie, *user, *password, *proxy_user, *proxy_password;
    uint64_t readahead;
    unsigned timeout;
    bool verify, ranges;
    CurlHandle handles[MAX_HANDLES];
    CoQueue free_handle;
} CurlState;

/* curl_global_init is not safe by several threads; called once, by the main one. */
static bool init_library(GError **error)
{
    static bool done;

    if (!lazy_library_load(&lazy_curl, error)) {
        return false;
    }
    if (!done) {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        done = true;
    }
    return true;
}

/* ---- transfers ---- */

static size_t take_bytes(char *data, size_t size, size_t count, void *opaque)
{
    CurlHandle *h = opaque;
    size_t len = size * count, now = MIN(len, h->room - h->have);

    /* more than was asked for: the server takes no ranges */
    memcpy(h->buf + h->have, data, now);
    h->have += now;
    return len == now ? len : 0;
}

static bool prepare(CurlState *s, CurlHandle *h, const char *schemes)
{
    CURL *c = h->curl = curl_easy_init();

    if (!c) {
        return false;
    }
    curl_easy_setopt(c, CURLOPT_URL, s->url);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, 10L);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, schemes);
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, schemes);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->message);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)s->timeout);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)s->timeout);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, s->verify ? 1L : 0L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, s->verify ? 2L : 0L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, h);
    if (s->cookie) {
        curl_easy_setopt(c, CURLOPT_COOKIE, s->cookie);
    }
    if (s->user) {
        curl_easy_setopt(c, CURLOPT_USERNAME, s->user);
        curl_easy_setopt(c, CURLOPT_PASSWORD, s->password ? s->password : "");
    }
    if (s->proxy_user) {
        curl_easy_setopt(c, CURLOPT_PROXYUSERNAME, s->proxy_user);
        curl_easy_setopt(c, CURLOPT_PROXYPASSWORD, s->proxy_password ? s->proxy_password : "");
    }
    return true;
}

static int perform(void *arg)
{
    CurlHandle *h = arg;

    h->message[0] = 0;
    return curl_easy_perform(h->curl) == CURLE_OK ? 0 : -EIO;
}

static CurlHandle *co_take_handle(CurlState *s, uint64_t offset, uint64_t bytes)
{
    for (;;) {
        CurlHandle *any = NULL;

        for (unsigned i = 0; i < MAX_HANDLES; i++) {
            CurlHandle *h = &s->handles[i];

            if (h->busy) {
                continue;
            }
            if (h->have && offset >= h->at && bytes <= h->have &&
                offset - h->at <= h->have - bytes) {
                h->busy = true;
                return h;
            }
            any = any && any->curl ? any : h;
        }
        if (any) {
            any->busy = true;
            return any;
        }
        co_queue_wait(&s->free_handle, NULL);
    }
}

static void give_back(CurlState *s, CurlHandle *h)
{
    h->busy = false;
    co_queue_wake_one(&s->free_handle);
}

#define SCHEMES "http,https,ftp,ftps"

static int co_fetch(BlockNode *n, CurlHandle *h, uint64_t offset, uint64_t bytes)
{
    CurlState *s = n->state;
    uint64_t want = MIN(bytes + s->readahead, n->length - offset);
    g_autofree char *range =
        g_strdup_printf("%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, offset, offset + want - 1);
    int ret;

    if (!h->curl && !prepare(s, h, SCHEMES)) {
        return -ENOMEM;
    }
    if (h->room < want) {
        g_free(h->buf);
        h->buf = g_malloc(want);
    }
    h->room = want;
    h->have = 0;
    h->at = offset;
    curl_easy_setopt(h->curl, CURLOPT_RANGE, range);
    ret = co_in_worker(perform, h);
    if (ret < 0 || h->have < bytes) {
        h->have = 0;
        return -EIO;
    }
    return 0;
}

static int co_curl_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov)
{
    CurlState *s = n->state;
    CurlHandle *h = co_take_handle(s, offset, bytes);
    int ret = 0;

    if (!h->have || offset < h->at || bytes > h->have || offset - h->at > h->have - bytes) {
        ret = co_fetch(n, h, offset, bytes);
    }
    if (ret == 0) {
        iov_from_buf(iov, niov, 0, h->buf + (offset - h->at), bytes);
    }
    give_back(s, h);
    return ret;
}

/* ---- opening ---- */

static size_t take_header(char *data, size_t size, size_t count, void *opaque)
{
    CurlState *s = opaque;
    size_t len = size * count;
    g_autofree char *line = g_strndup(data, len);

    g_strstrip(line);
    if (g_ascii_strncasecmp(line, "accept-ranges:", 14) == 0) {
        s->ranges = g_ascii_strcasecmp(g_strstrip(line + 14), "bytes") == 0;
    }
    return len;
}

static bool co_find_size(BlockNode *n, CurlState *s, GError **error)
{
    CurlHandle h = { 0 };
    curl_off_t size = -1;
    bool web = g_str_has_prefix(s->url, "http");
    int ret;

    if (!prepare(s, &h, SCHEMES)) {
        return fail(error, "curl could not be initialized");
    }
    curl_easy_setopt(h.curl, CURLOPT_NOBODY, 1L);
    if (web) {
        curl_easy_setopt(h.curl, CURLOPT_HEADERFUNCTION, take_header);
        curl_easy_setopt(h.curl, CURLOPT_HEADERDATA, s);
    }
    ret = co_in_worker(perform, &h);
    curl_easy_getinfo(h.curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
    curl_easy_cleanup(h.curl);
    if (ret < 0) {
        return fail(error, "CURL: Error opening file: %s", h.message);
    }
    if (size < 0) {
        return fail(error, "CURL: Error opening file: Server didn't report file size.");
    }
    if (web && !s->ranges) {
        return fail(error,
                    "CURL: Error opening file: Server does not support 'range' (byte ranges).");
    }
    n->length = (uint64_t)size;
    return true;
}

static bool get_secret(struct json_object *opts, const char *key, char **to, GError **error)
{
    const char *id = opts_string(opts, key, NULL);
    const uint8_t *bytes;
    size_t len;

    if (!id) {
        return true;
    }
    bytes = secret_bytes(id, &len, error);
    if (bytes) {
        *to = g_strndup((const char *)bytes, len);
    }
    return bytes != NULL;
}

static void free_state(CurlState *s)
{
    for (unsigned i = 0; i < MAX_HANDLES; i++) {
        if (s->handles[i].curl) {
            curl_easy_cleanup(s->handles[i].curl);
        }
        g_free(s->handles[i].buf);
    }
    g_free(s->url);
    g_free(s->cookie);
    g_free(s->user);
    g_free(s->password);
    g_free(s->proxy_user);
    g_free(s->proxy_password);
}

static bool curl_open(BlockNode *n, struct json_object *opts, GError **error)
{
    CurlState *s = n->state;
    const char *url = opts_string(opts, "url", opts_string(opts, "filename", NULL));
    g_autofree char *prefix = g_strconcat(n->driver->name, "://", NULL);

    if (!init_library(error)) {
        return false;
    }
    if (!url || !g_str_has_prefix(url, prefix)) {
        return url ? fail(error,
                          "%s curl driver cannot handle the URL '%s' (does not start with '%s')",
                          n->driver->name, url, prefix)
                   : fail(error, "curl block driver requires an 'url' option");
    }
    if (!n->read_only) {
        if (!(n->open_flags & BLOCK_OPEN_AUTO_READ_ONLY)) {
            return fail(error, "curl driver does not support writes");
        }
        n->read_only = true;
    }
    s->url = g_strdup(url);
    s->readahead = opts_number(opts, "readahead", DEFAULT_READAHEAD);
    s->timeout = (unsigned)MIN(opts_number(opts, "timeout", DEFAULT_TIMEOUT), 10000);
    s->verify = opts_bool(opts, "sslverify", true);
    s->cookie = g_strdup(opts_string(opts, "cookie", NULL));
    s->user = g_strdup(opts_string(opts, "username", NULL));
    s->proxy_user = g_strdup(opts_string(opts, "proxy-username", NULL));
    bool good = true;

    if (s->readahead % SECTOR || s->readahead > MAX_READAHEAD) {
        good = fail(error, "HTTP_READAHEAD_SIZE %" G_GUINT64_FORMAT " is not a multiple of 512",
                    s->readahead);
    } else if (s->cookie && opts_has(opts, "cookie-secret")) {
        good = fail(error, "curl driver cannot handle both cookie and cookie secret");
    }
    good = good && get_secret(opts, "cookie-secret", &s->cookie, error) &&
           get_secret(opts, "password-secret", &s->password, error) &&
           get_secret(opts, "proxy-password-secret", &s->proxy_password, error) &&
           co_find_size(n, s, error);
    if (!good) {
        free_state(s);
        return false;
    }
    g_free(n->filename);
    n->filename = g_strdup(url);
    n->max_transfer = 4 * MIB;
    return true;
}

static void curl_close(BlockNode *n)
{
    free_state(n->state);
}

static bool curl_parse_filename(const char *filename, struct json_object *opts, GError **error)
{
    json_object_object_add(opts, "url", json_object_new_string(filename));
    return true;
}

static const OptDesc curl_opts[] = {
    { "url", OPT_STRING, "URL to open" }, { "filename", OPT_STRING, "URL to open" },
    { "readahead", OPT_SIZE, "Readahead size" }, { "sslverify", OPT_BOOL, "Verify SSL certificate" },
    { "timeout", OPT_NUMBER, "Curl timeout" },
    { "cookie", OPT_STRING, "Pass the cookie or list of cookies with each request" },
    { "cookie-secret", OPT_STRING, "ID of secret used as cookie passed with each request" },
    { "username", OPT_STRING, "Username for HTTP auth" },
    { "password-secret", OPT_STRING, "ID of secret used as password for HTTP auth" },
    { "proxy-username", OPT_STRING, "Username for HTTP proxy auth" },
    { "proxy-password-secret", OPT_STRING, "ID of secret used as password for HTTP proxy auth" },
    { NULL },
};

#define CURL_FUNCTIONS                                                             \
    .protocol = true, .opts = curl_opts, .state_size = sizeof(CurlState),          \
    .parse_filename = curl_parse_filename, .open = curl_open, .close = curl_close, \
    .co_preadv = co_curl_preadv

static const BlockDriver http_driver = {
    .name = "http", .desc = "files of web servers", CURL_FUNCTIONS };
BLOCK_DRIVER(http_driver);
static const BlockDriver https_driver = {
    .name = "https", .desc = "files of web servers, by TLS", CURL_FUNCTIONS };
BLOCK_DRIVER(https_driver);
static const BlockDriver ftp_driver = {
    .name = "ftp", .desc = "files of FTP servers", CURL_FUNCTIONS};
BLOCK_DRIVER(ftp_driver);
static const BlockDriver ftps_driver = {
    .name = "ftps", .desc = "files of FTP servers, by TLS", CURL_FUNCTIONS};
BLOCK_DRIVER(ftps_driver);
