// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -sandbox: a filter of system calls (seccomp mode 2, by libseccomp) that the process and all its
 * threads keep for good. A refused call ends the process, but for scheduling calls, which fail.
 */
#include <errno.h>
#include <json-c/json.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>

#include "qapi/startup.h"
#include "util/error.h"

typedef enum Group {
    GROUP_ALWAYS,           /* administration of the host: never ours */
    GROUP_OBSOLETE,
    GROUP_ELEVATE,
    GROUP_SPAWN,
    GROUP_RESOURCES,
    GROUPS
} Group;

/* By name, as libseccomp knows them on any host; what the host has not is passed over. */
static const struct {
    Group group;
    const char *calls;
} groups[] = {
    {GROUP_ALWAYS,
     "reboot swapon swapoff mount umount umount2 pivot_root kexec_load kexec_file_load "
     "init_module finit_module delete_module syslog acct quotactl nfsservctl "
     "vhangup settimeofday clock_settime adjtimex clock_adjtime stime "
     "sethostname setdomainname iopl ioperm lookup_dcookie add_key request_key "
     "keyctl bpf open_by_handle_at name_to_handle_at "
     "afs_syscall break ftime getpmsg gtty lock mpx prof profil putpmsg security stty "
     "tuxcall ulimit vserver"},
    {GROUP_OBSOLETE, "readdir _sysctl bdflush create_module get_kernel_syms query_module "
                     "sgetmask ssetmask sysfs uselib ustat"},
    {GROUP_ELEVATE, "setuid setgid setpgid setsid setreuid setregid setresuid setresgid setfsuid "
                    "setfsgid"},
    {GROUP_SPAWN, "fork vfork execve execveat unshare setns"},
    {GROUP_RESOURCES, "setpriority sched_setparam sched_setaffinity sched_setattr ioprio_set"},
};

/* What was asked for; start-up only. */
static struct {
    bool on;
    bool deny[GROUPS];
    bool no_new_privileges;
} wanted;

static const OptDesc sandbox_params[] = {
    { "enable", OPT_BOOL, "switch the filter on", "off" },
    { "obsolete", OPT_STRING, "allow or deny calls that nobody needs any more", "allow" },
    { "elevateprivileges", OPT_STRING, "allow, deny, or children: only they may not gain any", "allow" },
    { "spawn", OPT_STRING, "allow or deny new processes", "allow" },
    { "resourcecontrol", OPT_STRING, "allow or deny changes of scheduling", "allow" },
    { NULL },
};

static bool read_group(json_object *kv, const char *key, Group group, GError **error)
{
    const char *text = opts_string(kv, key, "allow");

    if (strcmp(text, "children") == 0 && group == GROUP_ELEVATE) {
        wanted.no_new_privileges = true;
        return true;
    }
    if (strcmp(text, "allow") != 0 && strcmp(text, "deny") != 0) {
        return fail(error, "invalid argument for %s", key);
    }
    wanted.deny[group] = text[0] == 'd';
    return true;
}

static bool opt_sandbox(struct Vm *vm, const char *arg, GError **error)
{
    json_object *kv = keyval_parse(arg, "enable", error);
    bool good = kv && opts_check(kv, sandbox_params, NULL, error) &&
                read_group(kv, "obsolete", GROUP_OBSOLETE, error) &&
                read_group(kv, "elevateprivileges", GROUP_ELEVATE, error) &&
                read_group(kv, "spawn", GROUP_SPAWN, error) &&
                read_group(kv, "resourcecontrol", GROUP_RESOURCES, error);

    if (good) {
        wanted.on = opts_bool(kv, "enable", false);
        wanted.deny[GROUP_ALWAYS] = true;
        wanted.no_new_privileges |= wanted.deny[GROUP_ELEVATE];
    }
    json_object_put(kv);
    return good;
}

OPTION(sandbox, { .name = "sandbox", .handle = opt_sandbox, .group = "sandbox",
                  .params = sandbox_params });

static int refuse(scmp_filter_ctx filter, uint32_t action, const char *calls)
{
    g_auto(GStrv) names = g_strsplit(calls, " ", -1);
    int err = 0;

    for (unsigned i = 0; names[i] && err == 0; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);

        if (number >= 0) {
            err = seccomp_rule_add(filter, action, number, 0);
        }
    }
    return err;
}

/*
 * Threads may still be made, and clone3, whose flags are out of a filter's sight, sends glibc to
 * clone.
 */
static int refuse_processes(scmp_filter_ctx filter)
{
    int err = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
                               SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));

    return err ? err : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

static int fill(scmp_filter_ctx filter)
{
    int err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

    for (unsigned i = 0; i < G_N_ELEMENTS(groups) && err == 0; i++) {
        if (wanted.deny[groups[i].group]) {
            err = refuse(filter, groups[i].group == GROUP_RESOURCES ? SCMP_ACT_ERRNO(EPERM)
                                                                    : SCMP_ACT_KILL_PROCESS,
                         groups[i].calls);
        }
    }
    if (err == 0 && wanted.deny[GROUP_SPAWN]) {
        err = refuse_processes(filter);
    }
    return err ? err : seccomp_load(filter);
}

static bool start_filter(struct Vm *vm, GError **error)
{
    if (!wanted.on) {
        return true;
    }
    if (wanted.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        return fail_errno(error, errno, "-sandbox: failed to set no_new_privs");
    }
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int err = filter ? fill(filter) : -ENOMEM;

    seccomp_release(filter);
    return err == 0 ||
           fail_errno(error, -err, "-sandbox: failed to install the system call filter");
}

/* After privileges have been dropped, before anything runs. */
START_HOOK(sandbox, { .phase = START_RUN, .name = "privileges-filter", .start = start_filter });
