// SPDX-License-Identifier: GPL-2.0-or-later
/* What the images print with: a CMSDK UART at UART, which an image may set before. */
#ifndef ARM_M_PRINT_H
#define ARM_M_PRINT_H

#ifndef UART
#define UART 0x40004000
#endif

typedef unsigned u32;
#define R(a) (*(volatile u32 *)(a))

static void putc_(char c)
{
    while (R(UART + 4) & 1) {
    }
    R(UART) = c;
}

static void puts_(const char *s)
{
    while (*s) {
        putc_(*s++);
    }
}

static void hex(u32 v)
{
    for (int i = 28; i >= 0; i -= 4) {
        putc_("0123456789abcdef"[v >> i & 15]);
    }
    putc_(' ');
}

#endif
