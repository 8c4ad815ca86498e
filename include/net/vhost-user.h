// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -netdev vhost-user: a name for a chardev behind which another process moves the frames. It
 * neither sends nor takes any itself: the NIC, a virtio-net, hands its rings on.
 */
#ifndef NET_VHOST_USER_H
#define NET_VHOST_USER_H

#include "chardev/chardev.h"
#include "net/net.h"

/* The chardev of such a back end; NULL: c is another kind, or NULL. */
Chardev *net_vhost_user_chardev(const NetClient *c);

#endif
