# SPDX-License-Identifier: GPL-2.0-or-later
lazy-curl := block/net/curl.c
lazy-iscsi := block/net/iscsi.c
lazy-nfs := block/net/nfs.c
lazy-ssh := block/net/ssh.c
lazy-rados := block/net/rbd.c
lazy-rbd := block/net/rbd.c
lazy-gluster := block/net/gluster.c
