// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the process gives up before the guest runs: -chroot and -runas. After everything has been
 * opened and the pid file is written, before the first vCPU goes.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/types.h>
#include <unistd.h>

#include "qapi/startup.h"
#include "util/cutils.h"
#include "util/error.h"

/* From the command line; start-up only. */
static const char *new_root;
static struct {
    bool set, by_number;
    uid_t uid;
    gid_t gid;
    char *name;
} new_user;

static bool opt_chroot(struct Vm *vm, const char *arg, GError **error)
{
    new_root = arg;
    return true;
}

OPTION(chroot, { .name = "chroot", .handle = opt_chroot });

static bool parse_numbers(const char *arg)
{
    g_auto(GStrv) parts = g_strsplit(arg, ":", 2);
    uint64_t uid, gid;

    if (!parts[0] || !parts[1] || !parse_u64(parts[0], &uid) || !parse_u64(parts[1], &gid) ||
        uid >= UINT32_MAX || gid >= UINT32_MAX) {
        return false;
    }
    new_user.uid = (uid_t)uid;
    new_user.gid = (gid_t)gid;
    new_user.by_number = true;
    return true;
}

static bool opt_runas(struct Vm *vm, const char *arg, GError **error)
{
    const struct passwd *pw = getpwnam(arg);

    if (pw) {
        new_user.uid = pw->pw_uid;
        new_user.gid = pw->pw_gid;
        g_free(new_user.name);
        new_user.name = g_strdup(pw->pw_name);
        new_user.by_number = false;
    } else if (!parse_numbers(arg)) {
        return fail(error, "User \"%s\" doesn't exist (and is not <uid>:<gid>)", arg);
    }
    new_user.set = true;
    return true;
}

OPTION(runas, { .name = "runas", .handle = opt_runas });

static bool become_user(GError **error)
{
    if (new_user.by_number ? setgroups(1, &new_user.gid) < 0
                           : initgroups(new_user.name, new_user.gid) < 0) {
        return fail_errno(error, errno, "-runas: cannot set the groups");
    }
    if (setgid(new_user.gid) < 0 || setuid(new_user.uid) < 0) {
        return fail_errno(error, errno, "-runas: cannot become uid %u, gid %u", new_user.uid,
                          new_user.gid);
    }
    if (new_user.uid != 0 && setuid(0) == 0) {
        return fail(error, "-runas: dropping privileges failed");
    }
    return true;
}

static bool drop_privileges(struct Vm *vm, GError **error)
{
    if (new_root && (chroot(new_root) < 0 || chdir("/") < 0)) {
        return fail_errno(error, errno, "chroot to '%s' failed", new_root);
    }
    return !new_user.set || become_user(error);
}

/* Hooks of the last phase run in name order: pidfile, privileges, running. */
START_HOOK(privileges, { .phase = START_RUN, .name = "privileges", .start = drop_privileges });
