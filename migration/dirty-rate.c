// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * calc-dirty-rate: how much memory the guest writes in a second. Sample pages, chosen at random,
 * are summed up twice; those with another sum have been written.
 */
#include <inttypes.h>
#include <zlib.h>

#include "exec/memory.h"
#include "migration/internal.h"
#include "qapi/qapi-commands.h"
#include "qom/hmp.h"
#include "util/error.h"
#include "util/timer.h"

#define PAGE 4096u
#define MIN_SECONDS 1
#define MAX_SECONDS 60
#define DEFAULT_PAGES 512 /* a GiB */
#define MIN_PAGES 128
#define MAX_PAGES 4096
/* Smaller blocks are not looked at. */
#define MIN_BLOCK (128 * KIB)

typedef struct Sample {
    uint64_t block; /* RamBlock.offset, which no two blocks have ever */
    uint64_t page;
    uint32_t sum;
} Sample;

typedef struct DirtyRate {
    DirtyRateStatus status;
    int64_t start_s, calc_s, rate, pages;
    int64_t start_ms;
    GArray *samples;
    Timer timer;
} DirtyRate;
/* One process has one machine, and measures it once at a time; machine lock. */
static DirtyRate rate = {.rate = -1, .pages = DEFAULT_PAGES};

static uint32_t page_sum(const RamBlock *b, uint64_t page)
{
    return (uint32_t)crc32(0, b->host + page * PAGE, PAGE);
}

static void take_samples(void)
{
    rate.samples = g_array_new(FALSE, FALSE, sizeof(Sample));
    for (const RamBlock *b = ram_blocks(); b; b = b->next) {
        uint64_t n = MAX(b->size * (uint64_t)rate.pages / GIB, 1);

        for (uint64_t i = 0; b->size >= MIN_BLOCK && i < n; i++) {
            uint64_t page = (((uint64_t)g_random_int() << 32 | g_random_int()) >> 1) %
                            (b->size / PAGE);
            Sample s = {b->offset, page, page_sum(b, page)};

            g_array_append_val(rate.samples, s);
        }
    }
}

static void measured(void *opaque)
{
    int64_t ms = MAX(g_get_monotonic_time() / 1000 - rate.start_ms, 1);
    uint64_t changed = 0, bytes = 0;

    for (guint i = 0; i < rate.samples->len; i++) {
        const Sample *s = &g_array_index(rate.samples, Sample, i);
        const RamBlock *b = ram_block_find(s->block);

        changed += b && b->offset == s->block && s->page < b->size / PAGE &&
                   page_sum(b, s->page) != s->sum;
    }
    for (const RamBlock *b = ram_blocks(); b; b = b->next) {
        bytes += b->size >= MIN_BLOCK ? b->size : 0;
    }
    rate.rate = rate.samples->len ? (int64_t)((double)bytes / MIB * (double)changed /
                                              rate.samples->len * 1000 / (double)ms)
                                  : 0;
    rate.status = DIRTY_RATE_STATUS_MEASURED;
    g_clear_pointer(&rate.samples, g_array_unref);
}

bool qmp_calc_dirty_rate(QmpCall *call, const QmpCalcDirtyRateArgs *a, GError **error)
{
    if (rate.status == DIRTY_RATE_STATUS_MEASURING) {
        return fail(error, "the dirty rate is already being measured, try again later.");
    }
    if (a->calc_time < MIN_SECONDS || a->calc_time > MAX_SECONDS) {
        return fail(error, "calc-time is out of range[%d, %d].", MIN_SECONDS, MAX_SECONDS);
    }
    if (a->has_sample_pages && (a->sample_pages < MIN_PAGES || a->sample_pages > MAX_PAGES)) {
        return fail(error, "sample-pages is out of range[%d, %d].", MIN_PAGES, MAX_PAGES);
    }
    rate.status = DIRTY_RATE_STATUS_MEASURING;
    rate.pages = a->has_sample_pages ? a->sample_pages : DEFAULT_PAGES;
    rate.calc_s = a->calc_time;
    rate.rate = -1;
    rate.start_s = g_get_real_time() / 1000000;
    rate.start_ms = g_get_monotonic_time() / 1000;
    take_samples();
    if (!rate.timer.fn) {
        timer_init(&rate.timer, CLOCK_RT, measured, NULL);
    }
    timer_set_ns(&rate.timer, clock_now_ns(CLOCK_RT) + a->calc_time * NANOSECONDS_PER_SECOND);
    return true;
}

DirtyRateInfo *qmp_query_dirty_rate(QmpCall *call, GError **error)
{
    DirtyRateInfo *i = g_new0(DirtyRateInfo, 1);

    i->status = rate.status;
    i->start_time = rate.start_s;
    i->calc_time = rate.calc_s;
    i->sample_pages = rate.pages;
    i->mode = DIRTY_RATE_MEASURE_MODE_PAGE_SAMPLING;
    i->has_dirty_rate = rate.status == DIRTY_RATE_STATUS_MEASURED;
    i->dirty_rate = rate.rate;
    return i;
}

static void hmp_calc(HmpCall *call, GError **error)
{
    QmpCall q = {.vm = call->vm};
    int64_t pages = hmp_int(call, "sample_pages_per_GB", -1);
    QmpCalcDirtyRateArgs a = {.calc_time = hmp_int(call, "second", 0),
                              .has_sample_pages = pages >= 0,
                              .sample_pages = pages};

    if (qmp_calc_dirty_rate(&q, &a, error)) {
        g_string_append_printf(call->out,
                               "Starting dirty rate measurement with period %" PRId64 " seconds\n"
                               "[Please use 'info dirty_rate' to check results]\n", a.calc_time);
    }
}
HMP_COMMAND(calc_dirty_rate, hmp_calc, "second:i,sample_pages_per_GB:i?",
            "start a round of guest dirty rate measurement");

static void hmp_rate(HmpCall *call, GError **error)
{
    g_string_append_printf(call->out, "Status: %s\nStart Time: %" PRId64 " (ms)\n"
                           "Sample Pages: %" PRId64 " (per GB)\nPeriod: %" PRId64 " (sec)\n"
                           "Mode: page-sampling\n",
                           qapi_enum_name(&qapi_type_DirtyRateStatus, (int)rate.status),
                           rate.start_s, rate.pages, rate.calc_s);
    if (rate.status == DIRTY_RATE_STATUS_MEASURED) {
        g_string_append_printf(call->out, "Dirty rate: %" PRId64 " (MB/s)\n", rate.rate);
    } else {
        g_string_append(call->out, "Dirty rate: (not ready)\n");
    }
}
HMP_INFO(dirty_rate, hmp_rate, "", "show dirty rate information");
