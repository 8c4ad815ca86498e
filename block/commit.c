// SPDX-License-Identifier: GPL-2.0-or-later
/* Committing at once, without a job: for qemu-img and the human monitor. */
#include "block/driver.h"
#include "util/timer.h"

#define CHUNK (2 * MIB)

int co_block_commit_data(BlockNode *top, BlockNode *base, uint64_t rate, BlockProgress *progress,
                         void *opaque)
{
    g_autofree uint8_t *buf = g_malloc(CHUNK);
    int64_t start = clock_now_ns(CLOCK_RT);
    uint64_t sent = 0;
    int ret = 0;

    for (uint64_t at = 0; ret == 0 && at < top->length;) {
        BlockStatus st;
        uint64_t len;

        ret = co_block_status_above(top, base, at, top->length - at, true, &st);
        if (ret < 0) {
            break;
        }
        len = st.bytes;
        if (st.flags & BLOCK_STATUS_ALLOCATED) {
            if (st.flags & BLOCK_STATUS_ZERO) {
                ret = co_block_write_zeroes(base, at, len, BLOCK_MAY_UNMAP);
            } else {
                len = MIN(len, CHUNK);
                ret = co_block_pread(top, at, buf, len);
                ret = ret < 0 ? ret : co_block_pwrite(base, at, buf, len, 0);
                sent += len;
            }
        }
        at += len;
        if (progress) {
            progress(opaque, at, top->length);
        }
        if (rate) {
            int64_t due = start + (int64_t)((double)sent / (double)rate * 1e9);

            if (due > clock_now_ns(CLOCK_RT)) {
                co_sleep_ns(CLOCK_RT, due - clock_now_ns(CLOCK_RT));
            }
        }
    }
    return ret < 0 ? ret : co_block_flush(base);
}
