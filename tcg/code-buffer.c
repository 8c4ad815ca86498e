// SPDX-License-Identifier: GPL-2.0-or-later
/* The code buffer: one executable mapping, whose pages cost memory once they are used. */
#include "tcg/codegen.h"

#include <errno.h>
#include <sys/mman.h>
#include "util/error.h"

bool code_buffer_init(CodeBuffer *c, size_t size, GError **error)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        return fail_errno(error, errno, "cannot map a code buffer of %zu bytes", size);
    }
    c->base = c->ptr = p;
    c->size = size;
    c->end = c->base + size;
    return true;
}

void code_buffer_fini(CodeBuffer *c)
{
    munmap(c->base, c->size);
    *c = (CodeBuffer){0};
}
