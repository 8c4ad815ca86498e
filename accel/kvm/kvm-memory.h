// SPDX-License-Identifier: GPL-2.0-or-later
/* Guest memory of the KVM accelerator. */
#ifndef ACCEL_KVM_MEMORY_H
#define ACCEL_KVM_MEMORY_H

#include "accel/kvm.h"

/* Shows the VM's memory to the kernel, and from then on each change of it. Machine lock. */
void kvm_memory_start(Kvm *k, AddressSpace *as);
void kvm_memory_stop(void);

#endif
