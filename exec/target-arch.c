// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The target of a program that has none: unit tests and tools. An emulator's
 * target-X/binary-ARCH.c holds the definition that counts.
 */
#include "exec/cpu.h"

const CpuArch *const target_arch __attribute__((weak)) = NULL;
