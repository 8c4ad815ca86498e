# SPDX-License-Identifier: GPL-2.0-or-later
lazy-lzma := hw/i386/x86-unpack-xz.c
