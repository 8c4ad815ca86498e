// SPDX-License-Identifier: GPL-2.0-or-later
/* What start-up says to multiplexers. */
#ifndef CHARDEV_MUX_H
#define CHARDEV_MUX_H

#include "chardev/chardev.h"

/* The escape character (-echr), Ctrl-a by default. Before any multiplexer is made. */
void mux_set_escape(uint8_t c);
/* Whether several front ends share chr, one of which has the keyboard. */
bool chardev_is_mux(const Chardev *chr);

#endif
