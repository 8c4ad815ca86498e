// SPDX-License-Identifier: GPL-2.0-or-later
/* The VMware back door: commands passed in the CPU's registers by an access to port 5658h. */
#ifndef HW_I386_VMPORT_H
#define HW_I386_VMPORT_H

#include "qom/vm.h"

/* The registers that a command takes and gives back; eax is the result. */
typedef struct VmportRegs {
    uint32_t eax, ebx, ecx, edx, esi, edi;
} VmportRegs;
typedef void VmportFn(void *opaque, VmportRegs *r);

/* Another device answers a command; the machine has a "vmport". Realize-time. */
void vmport_register(Vm *vm, unsigned command, VmportFn *fn, void *opaque);
/* False: the machine has none. */
bool vmport_present(Vm *vm);

#endif
