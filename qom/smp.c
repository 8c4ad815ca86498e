// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -smp: how many CPUs, in what topology. Counts left open follow from the others; what is open
 * beyond that goes to cores first, then to sockets, then to threads.
 */
#include "qom/smp.h"

#include <json-c/json.h>

#include "qapi/startup.h"
#include "util/error.h"

enum { MAX_PARTS = 65536 };

static const OptDesc smp_params[] = {
    { "cpus", OPT_NUMBER, "initial CPUs" },
    { "maxcpus", OPT_NUMBER, "CPUs with those that may be plugged in" },
    { "sockets", OPT_NUMBER, "sockets on the board" },
    { "dies", OPT_NUMBER, "dies in a socket" },
    { "clusters", OPT_NUMBER, "clusters in a die" },
    { "cores", OPT_NUMBER, "cores in a cluster" },
    { "threads", OPT_NUMBER, "threads in a core" },
    { NULL },
};

static bool opt_smp(Vm *vm, const char *arg, GError **error)
{
    json_object *kv = keyval_parse(arg, "cpus", error);
    unsigned *const fields[] = { &vm->smp.cpus, &vm->smp.max_cpus, &vm->smp.sockets, &vm->smp.dies,
                                 &vm->smp.clusters, &vm->smp.cores, &vm->smp.threads };
    bool good = kv && opts_check(kv, smp_params, NULL, error);

    for (unsigned i = 0; good && smp_params[i].name; i++) {
        uint64_t n = opts_number(kv, smp_params[i].name, *fields[i]);

        if (opts_has(kv, smp_params[i].name) && (n == 0 || n > MAX_PARTS)) {
            good = fail(error, "Invalid CPU topology: %s must be between 1 and %d",
                        smp_params[i].name, MAX_PARTS);
        }
        *fields[i] = (unsigned)n;
    }
    json_object_put(kv);
    return good;
}

static bool help_smp(Vm *vm, const char *arg, GString *out, GError **error)
{
    g_string_append(out, "smp-opts options:\n  clusters=<num>\n  cores=<num>\n  cpus=<num>\n"
                    "  dies=<num>\n  maxcpus=<num>\n  sockets=<num>\n  threads=<num>\n");
    return true;
}

OPTION(smp, { .name = "smp", .handle = opt_smp, .help = help_smp, .group = "smp-opts",
              .params = smp_params });

bool smp_complete(Vm *vm, GError **error)
{
    const MachineType *t = vm->machine_type;
    SmpConfig *s = &vm->smp;

    if (!(s->cpus | s->max_cpus | s->sockets | s->dies | s->clusters | s->cores | s->threads)) {
        s->cpus = t->default_cpus;
    }
    uint64_t max = s->max_cpus ? s->max_cpus : s->cpus;

    s->dies = s->dies ? s->dies : 1;
    s->clusters = s->clusters ? s->clusters : 1;
    if (max == 0) {
        s->sockets = s->sockets ? s->sockets : 1;
        s->cores = s->cores ? s->cores : 1;
        s->threads = s->threads ? s->threads : 1;
    } else if (s->cores == 0) {
        s->sockets = s->sockets ? s->sockets : 1;
        s->threads = s->threads ? s->threads : 1;
        s->cores = (unsigned)(max / ((uint64_t)s->sockets * s->dies * s->clusters * s->threads));
    } else if (s->sockets == 0) {
        s->threads = s->threads ? s->threads : 1;
        s->sockets = (unsigned)(max / ((uint64_t)s->dies * s->clusters * s->cores * s->threads));
    }
    if (s->threads == 0) {
        s->threads = (unsigned)(max / ((uint64_t)s->sockets * s->dies * s->clusters * s->cores));
    }
    double product = (double)s->sockets * s->dies * s->clusters * s->cores * s->threads;

    if (max == 0 && product <= MAX_PARTS) {
        max = (uint64_t)product;
    }
    s->max_cpus = (unsigned)max;
    s->cpus = s->cpus ? s->cpus : s->max_cpus;
    if (product != (double)max) {
        return fail(error, "Invalid CPU topology: product of the hierarchy must match maxcpus: "
                    "sockets (%u) * dies (%u) * cores (%u) * threads (%u) != maxcpus (%u)",
                    s->sockets, s->dies, s->cores, s->threads, s->max_cpus);
    }
    if (s->max_cpus < s->cpus) {
        return fail(error, "Invalid CPU topology: maxcpus must be equal to or greater than smp: "
                    "maxcpus (%u) < smp_cpus (%u)", s->max_cpus, s->cpus);
    }
    if (s->cpus < t->min_cpus) {
        return fail(error, "Invalid SMP CPUs %u. The min CPUs supported by machine '%s' is %u",
                    s->cpus, t->machine_name, t->min_cpus);
    }
    if (t->max_cpus && s->max_cpus > t->max_cpus) {
        return fail(error, "Invalid SMP CPUs %u. The max CPUs supported by machine '%s' is %u",
                    s->max_cpus, t->machine_name, t->max_cpus);
    }
    return true;
}
