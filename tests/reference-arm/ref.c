// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs the cases that test-arm-insn wrote to a file and compares what its CPU made of them: built
 * for ARM and run by another implementation (a real processor, or a user-mode emulator that is
 * trusted). Cases are entered and left by signal frames, which hold all registers. Arguments: FILE
 * (-: standard input) [lenient | VQ: length of SVE's vectors in the cases].
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "ref.h"

/* A signal handler has no argument for these. */
static InsnCase now;
static InsnState result;
static FILE *file;
static unsigned total, bad, code_size;
static bool lenient;                /* what is undefined here need not be so there */

static bool same(void)
{
    const InsnState *want = &now.after;
    bool ok = result.undefined == want->undefined;

    if (lenient && result.undefined == 1) {
        return true;
    }
    if (!ok || want->undefined) {
        return ok;
    }
    return !memcmp(result.x, want->x, sizeof(result.x)) &&
           !memcmp(result.v, want->v, sizeof(result.v)) && result.nzcv == want->nzcv &&
           result.fpsr == want->fpsr && !memcmp(result.data, want->data, DATA_SIZE) &&
           !memcmp(result.z, want->z, sizeof(result.z)) &&
           !memcmp(result.p, want->p, sizeof(result.p));
}

static void hex(const char *what, unsigned n, const uint8_t *here, const uint8_t *want,
                const uint8_t *before, unsigned bytes)
{
    const uint8_t *all[3] = {here, want, before};
    const char *const names[3] = {"here", "case", "before"};

    for (unsigned k = 0; k < 3; k++) {
        printf("  %s%u %-6s", what, n, names[k]);
        for (unsigned i = bytes; i-- > 0;) {
            printf("%02x%s", all[k][i], i & 7 ? "" : " ");
        }
        printf("\n");
    }
}

static void report(void)
{
    const InsnState *want = &now.after, *b = &now.before;

    printf("%s:", now.row);
    for (unsigned i = 0; i < now.count; i++) {
        printf(" %08" PRIx32, now.insn[i]);
    }
    printf(" fpcr %" PRIx64 "\n", b->fpcr);
    if (result.undefined != want->undefined) {
        printf("  undefined: here %d, case %d\n", (int)result.undefined, (int)want->undefined);
        return;
    }
    for (unsigned i = 0; i < 32; i++) {
        if (result.x[i] != want->x[i]) {
            printf("  x%u: %" PRIx64 ", case %" PRIx64 " (before %" PRIx64 ")\n", i, result.x[i],
                   want->x[i], b->x[i]);
        }
        if (now.vq && memcmp(result.z[i], want->z[i], now.vq * 16)) {
            hex("z", i, result.z[i], want->z[i], now.before.z[i], now.vq * 16);
        }
        if (now.vq && i < 17 && memcmp(result.p[i], want->p[i], now.vq * 2)) {
            hex("p", i, result.p[i], want->p[i], now.before.p[i], now.vq * 2);
        }
        if (!now.vq && memcmp(result.v[i], want->v[i], 16)) {
            printf("  v%u: %016" PRIx64 ":%016" PRIx64 ", case %016" PRIx64 ":%016" PRIx64 "\n", i,
                   result.v[i][1], result.v[i][0], want->v[i][1], want->v[i][0]);
        }
    }
    if (now.count == 1) {
        uint32_t w = now.insn[0];
        unsigned r[4] = {w & 31, w >> 5 & 31, w >> 16 & 31, w >> 10 & 31};

        for (unsigned i = 0; i < 4 && now.vq; i++) {
            hex("before z", r[i], b->z[r[i]], b->z[r[i]], b->z[r[i]], now.vq * 16);
        }
        if (now.vq) {
            hex("before p", w >> 10 & 7, b->p[w >> 10 & 7], b->p[w >> 10 & 7], b->p[w >> 10 & 7],
                now.vq * 2);
        }
        for (unsigned i = 0; i < 4 && now.isa == ISA_A64 && !now.vq; i++) {
            printf("    before v%u %016" PRIx64 ":%016" PRIx64 "\n", r[i], b->v[r[i]][1],
                   b->v[r[i]][0]);
        }
        unsigned d[3] = {(w >> 12 & 15) | (w >> 18 & 16), (w >> 16 & 15) | (w >> 3 & 16),
                         (w & 15) | (w >> 1 & 16)};

        for (unsigned i = 0; i < 3 && now.isa != ISA_A64; i++) {
            printf("    before d%u %016" PRIx64 "\n", d[i], b->v[d[i] / 2][d[i] & 1]);
        }
    }
    printf("  nzcv %" PRIx64 ", case %" PRIx64 "; fpsr %" PRIx64 ", case %" PRIx64 "%s\n",
           result.nzcv, want->nzcv, result.fpsr, want->fpsr,
           memcmp(result.data, want->data, DATA_SIZE) ? "; memory" : "");
}

static void next(void *uc)
{
    if (fread(&now, sizeof(now), 1, file) != 1) {
        printf("%u cases, %u differ\n", total, bad);
        fflush(stdout);
        _Exit(bad != 0 || !total);
    }
    total++;
    memcpy((void *)(uintptr_t)DATA, now.before.data, DATA_SIZE);
    code_size = insn_case_code(&now, (uint8_t *)(uintptr_t)CODE);
    ref_stop((uint8_t *)(uintptr_t)CODE + code_size, &now);
    __builtin___clear_cache((char *)(uintptr_t)CODE, (char *)(uintptr_t)CODE + 64);
    ref_enter(uc, &now);
}

static void handler(int sig, siginfo_t *info, void *uc)
{
    (void)info;
    if (total) {
        memset(&result, 0, sizeof(result));
        ref_take(uc, &result, now.vq);
        memcpy(result.data, (void *)(uintptr_t)DATA, DATA_SIZE);
        result.undefined = ref_pc(uc) == CODE + code_size ? 0 : sig == SIGILL ? 1 : 2;
        if (!same() && bad++ < 20) {
            report();
        }
    }
    next(uc);
}

int main(int argc, char **argv)
{
    static const int signals[] = {SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGUSR1};
    static char stack[65536];
    stack_t alt = {.ss_sp = stack, .ss_size = sizeof(stack)};

    file = argc < 2 ? NULL : strcmp(argv[1], "-") ? fopen(argv[1], "rb") : stdin;
    lenient = argc > 2 && !strcmp(argv[2], "lenient");
    if (!file) {
        fprintf(stderr, "usage: %s FILE [lenient|VQ]\n", argv[0]);
        return 2;
    }
    for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct sigaction a = {.sa_sigaction = handler,
                              .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

        sigaction(signals[i], &a, NULL);
    }
    if (argc > 2 && !lenient && !ref_set_vq((unsigned)(argv[2][0] - '0'))) {
        printf("no vectors of %s * 128 bits\n", argv[2]);
        return 1;
    }
    sigaltstack(&alt, NULL);
    mmap((void *)(uintptr_t)CODE, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    mmap((void *)(uintptr_t)DATA, DATA_SIZE, PROT_READ | PROT_WRITE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    raise(SIGUSR1);
    return 3;
}
