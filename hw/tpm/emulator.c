// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -tpmdev emulator: swtpm's protocol (its tpm_ioctl.h). The chardev is the control channel, on
 * which the other end answers at once; commands go over a socket pair of our own, and their answers
 * come when they come. What is left out: moving the TPM's state to another machine.
 */
#include "emulator.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "hw/tpm/tpm.h"
#include "util/bswap.h"
#include "util/error.h"
#include "util/main-loop.h"
#include "util/socket.h"

#define LIMIT_MS 5000
#define NO_LOCALITY 255

enum {
    CMD_GET_CAPABILITY = 1,
    CMD_INIT,
    CMD_SHUTDOWN,
    CMD_GET_ESTABLISHED,
    CMD_SET_LOCALITY,
    CMD_CANCEL = 9,
    CMD_RESET_ESTABLISHED = 11,
    CMD_STOP = 14,
    CMD_SET_DATAFD = 16,
    CMD_SET_BUFFERSIZE };
enum {
    CAP_INIT = 1 << 0,
    CAP_GET_ESTABLISHED = 1 << 2,
    CAP_SET_LOCALITY = 1 << 3,
    CAP_CANCEL = 1 << 5,
    CAP_STOP = 1 << 10,
    CAP_SET_DATAFD = 1 << 12,
    CAP_SET_BUFFERSIZE = 1 << 13 };
#define CAPS_NEEDED                                                                  \
    (CAP_INIT | CAP_GET_ESTABLISHED | CAP_SET_LOCALITY | CAP_STOP | CAP_SET_DATAFD | \
     CAP_SET_BUFFERSIZE)

/*
 * Sends a request of n bytes after its code and receives an answer; false: the other end is gone.
 */
static bool ask_raw(TpmEmulator *e, uint32_t code, const void *request, size_t n, void *answer,
                    size_t m, int fd_out)
{
    uint8_t message[16];
    int fd = chardev_fe_socket(&e->fe);

    store_be32(message, code);
    if (n) {
        memcpy(message + 4, request, n);
    }
    return fd >= 0 && socket_send_all(fd, message, 4 + n, &fd_out, fd_out >= 0, LIMIT_MS) &&
           socket_receive_all(fd, answer, m, LIMIT_MS);
}

/* The usual form: the answer begins with a result, 0 for success. */
static bool ask(TpmEmulator *e, uint32_t code, const void *request, size_t n)
{
    uint8_t result[4];

    return ask_raw(e, code, request, n, result, sizeof(result), -1) && load_be32(result) == 0;
}

/* ---- answers ---- */

static void finish(TpmEmulator *e, size_t len)
{
    e->busy = false;
    e->done(e->opaque, len);
}

/* TPM_RC_FAILURE, for what never came back. */
static void finish_failed(TpmEmulator *e)
{
    static const uint8_t failure[TPM_HEADER] = {0x80, 0x01, 0, 0, 0, TPM_HEADER, 0, 0, 0x01, 0x01};

    memcpy(e->answer, failure, sizeof(failure));
    finish(e, sizeof(failure));
}

static bool on_answer(int fd, GIOCondition events, void *opaque)
{
    TpmEmulator *e = opaque;
    uint8_t drain[256];
    ssize_t n = recv(fd, e->busy ? e->answer + e->got : drain,
                     e->busy ? e->room - e->got : sizeof(drain), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    if (n <= 0) {
        e->tag = 0;
        if (e->busy) {
            finish_failed(e);
        }
        return false;
    }
    if (!e->busy) {
        return true;
    }
    e->got += (size_t)n;
    uint32_t size = e->got >= TPM_HEADER ? tpm_size(e->answer) : UINT32_MAX;

    if (e->got >= size) {
        finish(e, e->got);
    } else if (e->got == e->room) {
        finish_failed(e);
    }
    return true;
}

/* ---- the connection ---- */

static size_t no_input(void *opaque)
{
    return 0;
}

static const ChardevFeOps fe_ops = { .can_receive = no_input };

bool tpm_emulator_open(TpmEmulator *e, GError **error)
{
    Chardev *chr = chardev_find(e->chardev, error);
    uint8_t caps[8], result[4];
    int pair[2] = { -1, -1 };

    e->data = -1;
    e->locality = NO_LOCALITY;
    if (!chr || !chardev_fe_attach(&e->fe, chr, &fe_ops, e, error)) {
        return false;
    }
    if (chardev_fe_socket(&e->fe) < 0) {
        fail(error, "tpmdev: chardev '%s' must be a connected unix socket", e->chardev);
    } else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        fail(error, "tpmdev: no socket pair: %s", g_strerror(errno));
    } else if (!ask_raw(e, CMD_SET_DATAFD, NULL, 0, result, sizeof(result), pair[1]) ||
               load_be32(result) != 0) {
        fail(error,
             "tpm-emulator: the TPM behind chardev '%s' does not take a channel for commands",
             e->chardev);
    } else if (!ask_raw(e, CMD_GET_CAPABILITY, NULL, 0, caps, sizeof(caps), -1) ||
               (load_be64(caps) & CAPS_NEEDED) != CAPS_NEEDED) {
        fail(error, "tpm-emulator: the TPM behind chardev '%s' lacks control commands", e->chardev);
    } else {
        close(pair[1]);
        e->data = pair[0];
        e->tag = fd_watch(e->data, G_IO_IN | G_IO_HUP, on_answer, e);
        return true;
    }
    if (pair[0] >= 0) {
        close(pair[0]);
        close(pair[1]);
    }
    chardev_fe_detach(&e->fe);
    return false;
}

void tpm_emulator_close(TpmEmulator *e)
{
    if (e->data < 0) {
        return;
    }
    ask(e, CMD_SHUTDOWN, NULL, 0);
    if (e->tag) {
        fd_unwatch(e->tag);
    }
    close(e->data);
    e->data = -1;
    chardev_fe_detach(&e->fe);
}

/* What was under way ends with the other end's stop; its answer, if it still came, is dropped. */
static void drop_answers(TpmEmulator *e)
{
    uint8_t drain[TPM_BUFFER];

    e->busy = false;
    while (recv(e->data, drain, sizeof(drain), MSG_DONTWAIT) > 0) {
    }
}

bool tpm_emulator_start(TpmEmulator *e, size_t *size)
{
    uint8_t request[4], answer[16];

    if (e->busy) {
        tpm_emulator_cancel(e);
    }
    if (!ask(e, CMD_STOP, NULL, 0)) {
        return false;
    }
    drop_answers(e);
    store_be32(request, *size);
    if (!ask_raw(e, CMD_SET_BUFFERSIZE, request, 4, answer, 16, -1) || load_be32(answer) != 0) {
        return false;
    }
    *size = MIN(*size, load_be32(answer + 4));
    store_be32(request, 0);
    e->locality = NO_LOCALITY;
    return ask(e, CMD_INIT, request, 4);
}

static bool set_locality(TpmEmulator *e, uint8_t locality)
{
    uint8_t request[4] = { locality };

    if (e->locality == locality) {
        return true;
    }
    if (!ask(e, CMD_SET_LOCALITY, request, sizeof(request))) {
        return false;
    }
    e->locality = locality;
    return true;
}

bool tpm_emulator_execute(TpmEmulator *e, uint8_t locality, uint8_t *buffer, size_t len,
                          size_t room)
{
    if (e->busy) {
        return false;
    }
    e->busy = true;
    e->answer = buffer;
    e->room = room;
    e->got = 0;
    if (e->data < 0 || !e->tag || !set_locality(e, locality) ||
        !socket_send_all(e->data, buffer, len, NULL, 0, LIMIT_MS)) {
        finish_failed(e);
    }
    return true;
}

void tpm_emulator_cancel(TpmEmulator *e)
{
    if (e->busy) {
        ask(e, CMD_CANCEL, NULL, 0);
    }
}

bool tpm_emulator_established(TpmEmulator *e)
{
    uint8_t answer[8];

    return ask_raw(e, CMD_GET_ESTABLISHED, NULL, 0, answer, sizeof(answer), -1) &&
           load_be32(answer) == 0 && answer[4];
}

void tpm_emulator_reset_established(TpmEmulator *e, uint8_t locality)
{
    uint8_t request[4] = { locality };

    ask(e, CMD_RESET_ESTABLISHED, request, sizeof(request));
}
