// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The accelerator "tcg": its properties, start, what a vCPU brings with it, and `info jit`.
 */
#include "accel/tcg/tcg.h"

#include <inttypes.h>
#include "util/error.h"

enum {
    DEFAULT_TB_SIZE_MIB = 128,
    MAX_TB_SIZE_MIB = 2000
};

/* The translator of this process; see tcg.h. */
TcgAccel *tcg;

static bool tcg_init(Accel *a, Vm *vm, GError **error)
{
    TcgAccel *t = (TcgAccel *)a;
    uint64_t mib = t->tb_size ? t->tb_size : DEFAULT_TB_SIZE_MIB;

    if (mib > MAX_TB_SIZE_MIB) {
        return fail(error, "tb-size %" PRIu64 " is too large, at most %d MiB", mib,
                    MAX_TB_SIZE_MIB);
    }
    t->engine = t->interp ? NULL : engine_native();
    if (!t->engine) {
        t->engine = &engine_interp;
    }
    if ((t->perfmap && !perf_map_open(error)) || (t->jitdump && !jit_dump_open(error))) {
        return false;
    }
    /* Blocks and what links them lie behind the code, within the reach of its jumps. */
    mib = MIN(mib + mib * 3 / 4, MAX_TB_SIZE_MIB);
    if (!code_buffer_init(&t->buffer, mib * MIB, error)) {
        return false;
    }
    t->buffer.alone = vm && vm->smp.max_cpus == 1;
    pthread_mutex_init(&t->translate_lock, NULL);
    pthread_mutex_init(&t->blocks_lock, NULL);
    t->cpus = g_ptr_array_new();
    tcg = t;
    smc_init();
    return true;
}

/* The first vCPU says for which target: the engine makes its stubs. */
static bool engine_start(const CpuArch *arch, GError **error)
{
    if (tcg->arch) {
        return true;
    }
    tcg->builder = ir_builder_new(arch->vars, arch->num_vars);
    if (!cache_reserve(error)) {
        return false;
    }
    if (tcg->engine->init && !tcg->engine->init(&tcg->buffer, arch, error)) {
        return false;
    }
    cache_init();
    ir_set_v256(tcg->builder, tcg->engine->has_v256 && tcg->engine->has_v256());
    tcg->arch = arch;
    return true;
}

static void as_changed(AddressSpace *as, void *opaque)
{
    tlb_flush_all_cpus(opaque);
}

static void watch_space(AddressSpace *as, Vm *vm)
{
    if (as) {
        as->changed = as_changed;
        as->changed_opaque = vm;
    }
}

static bool tcg_cpu_create(Cpu *cpu, GError **error)
{
    TcgCpu *t;

    if (!engine_start(cpu->arch, error)) {
        return false;
    }
    t = g_new0(TcgCpu, 1);
    cpu->accel = t;
    spaces_init(cpu);
    tlb_init(cpu);
    watch_space(cpu->as, cpu->dev.vm);
    watch_space(cpu->dev.vm->smm_as, cpu->dev.vm);
    pthread_mutex_lock(&tcg->blocks_lock);
    g_ptr_array_add(tcg->cpus, cpu);
    pthread_mutex_unlock(&tcg->blocks_lock);
    return true;
}

static void counts_add(TcgCounts *sum, const TcgCounts *c)
{
    sum->tlb_fills += c->tlb_fills;
    sum->tlb_large_fills += c->tlb_large_fills;
    sum->tlb_kept += c->tlb_kept;
    sum->tlb_flushes += c->tlb_flushes;
    sum->tlb_page_flushes += c->tlb_page_flushes;
    sum->lookups += c->lookups;
}

static void tcg_cpu_destroy(Cpu *cpu)
{
    TcgCpu *t = cpu->accel;

    pthread_mutex_lock(&tcg->blocks_lock);
    counts_add(&tcg->gone, &t->counts);
    g_ptr_array_remove(tcg->cpus, cpu);
    pthread_mutex_unlock(&tcg->blocks_lock);
    cpu->accel = NULL;
    cpu->block_cache = NULL;
    g_free(t);
}

static void tcg_info(Accel *a, GString *out)
{
    TcgAccel *t = (TcgAccel *)a;
    TcgCounts sum = t->gone;
    uint64_t used = 0, cold = 0, blocks = MAX(t->stats.blocks, 1);

    for (unsigned i = 0; i < t->num_segments; i++) {
        const CodeSegment *s = &t->segments[i];
        used += (uint64_t)(s->room.ptr - s->start.ptr);
        cold += (uint64_t)(s->room.cold - s->start.cold);
    }

    for (unsigned i = 0; i < t->cpus->len; i++) {
        counts_add(&sum, &tcg_cpu(t->cpus->pdata[i])->counts);
    }
    g_string_append_printf(out, "Translation buffer state:\n");
    g_string_append_printf(out, "engine              %s\n", t->engine->name);
    g_string_append_printf(out, "gen code size       %" PRIu64 "/%zu\n", used + cold,
                           t->buffer.size);
    g_string_append_printf(out, "hot code size       %" PRIu64 "\n", used);
    g_string_append_printf(out, "TB count            %" PRIu64 "\n", t->stats.blocks);
    g_string_append_printf(out, "of the first tier   %" PRIu64 ", %" PRIu64 " made anew\n",
                           t->stats.first, t->stats.anew);
    g_string_append_printf(out, "of these without IR %" PRIu64 "\n", t->stats.direct);
    g_string_append_printf(out, "regions             %" PRIu64 "\n", t->stats.regions);
    g_string_append_printf(out, "TB avg target size  %" PRIu64 " bytes\n",
                           t->stats.guest_bytes / blocks);
    g_string_append_printf(out,
                           "TB avg host size    %" PRIu64 " bytes, %" PRIu64 " cold and tables\n",
                           used / blocks, cold / blocks);
    g_string_append_printf(out, "\nStatistics:\n");
    g_string_append_printf(out, "TB flush count      %" PRIu64 "\n", t->stats.flushes);
    g_string_append_printf(out, "TB invalidate count %" PRIu64 "\n", t->stats.invalidated);
    g_string_append_printf(out, "code page writes    %" PRIu64 "\n", t->stats.smc_writes);
    g_string_append_printf(out, "hash look-ups       %" PRIu64 "\n", sum.lookups);
    g_string_append_printf(out, "TLB fills           %" PRIu64 "\n", sum.tlb_fills);
    g_string_append_printf(out, "TLB large fills     %" PRIu64 "\n", sum.tlb_large_fills);
    g_string_append_printf(out, "TLB kept fills      %" PRIu64 "\n", sum.tlb_kept);
    g_string_append_printf(out, "TLB full flushes    %" PRIu64 "\n", sum.tlb_flushes);
    g_string_append_printf(out, "TLB page flushes    %" PRIu64 "\n", sum.tlb_page_flushes);
}

static const char *const tier_names[] = {"auto", "first", "best", NULL};
static const char *const thread_names[] = {"multi", "single", NULL};

static const Prop tcg_props[] = {
    PROP_ENUM(TcgAccel, thread, "thread", 0, thread_names,
              .help = "multi: a host thread for each vCPU"),
    PROP_ENUM(TcgAccel, tier, "tier", TIER_AUTO, tier_names,
              .help = "first: code as it is made for what has not run yet, for all of it; "
                      "best: at once as for what runs often"),
    PROP_U32(TcgAccel, tb_size, "tb-size", 0, .help = "size of the code buffer in MiB"),
    PROP_BOOL(TcgAccel, interp, "interp", false, .help = "run the IR in an interpreter"),
    PROP_BOOL(TcgAccel, one_insn, "one-insn-per-tb", false,
              .help = "translate one instruction at a time"),
    PROP_BOOL(TcgAccel, perfmap, "perfmap", false,
              .help = "name translated code for perf in /tmp/perf-PID.map"),
    PROP_BOOL(TcgAccel, jitdump, "jitdump", false,
              .help = "write translated code to jit-PID.dump for perf inject --jit"),
    PROP_BOOL(TcgAccel, split_wx, "split-wx", false,
              .help = "map generated code writable and executable at different addresses"),
    PROP_END,
};

static const AccelType tcg_type = {
    .object =
        {
            .name = "tcg-accel",
            .parent = "accel",
            .desc = "translator",
            .size = sizeof(TcgAccel),
            .props = tcg_props,
        },
    .thread_name = "TCG",
    .init = tcg_init,
    .cpu_create = tcg_cpu_create,
    .cpu_destroy = tcg_cpu_destroy,
    .cpu_exec = tcg_cpu_exec,
    .cpu_exec_atomic = tcg_cpu_exec_atomic,
    .debug_changed = tcg_debug_changed,
    .info = tcg_info,
};
ACCEL_TYPE(tcg_type);
