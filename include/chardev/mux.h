// SPDX-License-Identifier: GPL-2.0-or-later
/* What start-up says to multiplexers. */
#ifndef CHARDEV_MUX_H
#define CHARDEV_MUX_H

#include <stdint.h>

/* The escape character (-echr), Ctrl-a by default. Before any multiplexer is made. */
void mux_set_escape(uint8_t c);
/* Start-up is over: the keyboard goes to the front end that came first, the console. */
void mux_focus_first(void);

#endif
