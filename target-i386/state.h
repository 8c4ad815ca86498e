// SPDX-License-Identifier: GPL-2.0-or-later
/* The rows of a vCPU's state, for its device type. */
#ifndef TARGET_I386_STATE_H
#define TARGET_I386_STATE_H

#include "target-i386/cpu.h"

extern const StateField x86_cpu_state[];
/* Why the state cannot be saved just now; NULL: it can. */
const char *x86_cpu_unsaved(Device *d);
/* DeviceType.post_load. */
void x86_cpu_loaded(Device *d);

#endif
