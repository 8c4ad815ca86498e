# SPDX-License-Identifier: GPL-2.0-or-later
lazy-gnutls := qom/tls.c
