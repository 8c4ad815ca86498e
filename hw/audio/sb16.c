// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sound Blaster 16 (Creative, "Sound Blaster Series Hardware Programming Guide", 2nd edition): the
 * DSP with 8 and 16 bit DMA both ways, the CT1745 mixer. Left out: ADPCM (it is silent), MIDI, FM
 * synthesis, direct mode (bytes are dropped), and moving interrupt and DMA by the mixer.
 */
#include "audio/audio.h"
#include "exec/bank.h"
#include "hw/isa/dma.h"
#include "hw/isa/isa.h"
#include "util/error.h"

#define QUEUE 64u
#define CHUNK 512u
#define MIXER_REGS 0x100u

enum { IRQ_8BIT = 1, IRQ_16BIT = 2 };
enum {
    MIX_RESET = 0x00,
    MIX_VOICE_LEFT = 0x32,
    MIX_MASTER_LEFT = 0x30,
    MIX_IRQ = 0x80,
    MIX_DMA = 0x81,
    MIX_IRQ_STATUS = 0x82
};
enum { BATCH_AUTO = 1, BATCH_RECORD = 2, BATCH_16BIT = 4, BATCH_SILENCE = 8 };

typedef struct Sb16 {
    Device dev;
    /* properties */
    uint32_t iobase, irq_line, dma, dma16, version;
    AudioDev *audiodev;
    /* the DSP's mailbox */
    uint8_t command, args[4], num_args, wanted_args;
    uint8_t out[QUEUE], out_head, out_count, last_out;
    bool resetting, speaker;
    uint8_t test;
    uint8_t irq_status;
    uint8_t mixer_index, mixer[MIXER_REGS];
    /* transfers */
    uint32_t rate;              /* frames a second; after a time constant: bytes */
    bool by_constant, stereo, is_signed;
    uint8_t batch;              /* BATCH_*, of the transfer under way or last begun */
    bool running, stopping;     /* stopping: an endless transfer ends with its block */
    uint32_t block, left;       /* bytes until the interrupt */
    Irq irq;
    AudioVoice *play, *record;  /* host side */
} Sb16;

static void set_irq(Sb16 *s, uint8_t which, bool on)
{
    s->irq_status = on ? s->irq_status | which : s->irq_status & ~which;
    irq_set(&s->irq, s->irq_status != 0);
}

static void answer(Sb16 *s, uint8_t v)
{
    if (s->out_count < QUEUE) {
        s->out[(s->out_head + s->out_count++) % QUEUE] = v;
    }
}

/* ---- transfers ---- */

static AudioVoice *voice_of(const Sb16 *s)
{
    return s->batch & BATCH_RECORD ? s->record : s->play;
}

static Device *dma_of(const Sb16 *s)
{
    return ((IsaBus *)s->dev.parent_bus)->dma;
}

/* Rates, formats and who runs follow from the DSP's state. */
static void voices_update(Sb16 *s)
{
    uint32_t rate = s->by_constant && s->stereo && !(s->batch & BATCH_16BIT) ? s->rate / 2
                                                                             : s->rate;
    AudioSettings f = {
        .frequency = CLAMP(rate, 4000, 48000),
        .channels = s->stereo ? 2 : 1,
        .format = s->batch & BATCH_16BIT ? (s->is_signed ? AUDIO_S16 : AUDIO_U16)
                                         : (s->is_signed ? AUDIO_S8 : AUDIO_U8),
    };
    AudioVoice *v = voice_of(s);

    audio_set_format(v, &f);
    audio_set_active(v, s->running);
    audio_set_active(v == s->play ? s->record : s->play, false);
}

static void batch_stop(Sb16 *s)
{
    s->running = false;
    voices_update(s);
}

static void batch_start(Sb16 *s, uint8_t batch, uint32_t bytes)
{
    s->batch = batch;
    s->block = s->left = bytes;
    s->stopping = false;
    s->running = true;
    voices_update(s);
}

/* What the guest's DMA channel gives or takes; 0: it is closed for now. */
static size_t move(Sb16 *s, uint8_t *buf, size_t n)
{
    unsigned channel = s->batch & BATCH_16BIT ? s->dma16 : s->dma;
    bool last;

    if (s->batch & BATCH_SILENCE) {
        memset(buf, s->is_signed ? 0 : 0x80, n);
        return audio_play(s->play, buf, n);
    }
    if (!dma_of(s)) {
        return 0;
    }
    if (s->batch & BATCH_RECORD) {
        n = audio_record(s->record, buf, n);
        return isa_dma_to_memory(dma_of(s), channel, buf, n, &last);
    }
    n = isa_dma_from_memory(dma_of(s), channel, buf, n, &last);
    audio_play(s->play, buf, n);
    return n;
}

static void batch_due(void *opaque, size_t bytes)
{
    Sb16 *s = opaque;
    unsigned frame = (s->stereo ? 2 : 1) * (s->batch & BATCH_16BIT ? 2 : 1);
    uint8_t buf[CHUNK];

    while (s->running && bytes >= frame) {
        size_t n = MIN(MIN(bytes, CHUNK), MAX(s->left, frame)) / frame * frame;
        size_t done = move(s, buf, n);

        if (!done) {
            return;
        }
        bytes -= done;
        s->left -= MIN(s->left, done);
        if (s->left) {
            continue;
        }
        set_irq(s, s->batch & BATCH_16BIT ? IRQ_16BIT : IRQ_8BIT, true);
        if (!(s->batch & BATCH_AUTO) || s->stopping) {
            batch_stop(s);
        }
        s->left = s->block;
    }
}

/* ---- commands ---- */

static unsigned num_args(uint8_t command)
{
    static const uint8_t counts[256] = {
        [0x10] = 1, [0x14] = 2, [0x16] = 2, [0x17] = 2, [0x24] = 2, [0x38] = 1, [0x40] = 1,
        [0x41] = 2, [0x42] = 2, [0x48] = 2, [0x74 ... 0x77] = 2, [0x80] = 2, [0xb0 ... 0xcf] = 3,
        [0xe0] = 1, [0xe2] = 1, [0xe4] = 1, [0x0e] = 2, [0x0f] = 1, [0x04] = 1, [0x05] = 2,
    };

    return counts[command];
}

static uint32_t arg_length(const Sb16 *s, unsigned at)
{
    return (s->args[at] | (uint32_t)s->args[at + 1] << 8) + 1;
}

/* B0h to CFh: bit 3 records, bit 2 is endless; the mode has sign (bit 4) and stereo (bit 5). */
static void command_generic(Sb16 *s)
{
    bool wide = s->command < 0xc0;

    s->is_signed = s->args[0] & 0x10;
    s->stereo = s->args[0] & 0x20;
    batch_start(s,
                (wide ? BATCH_16BIT : 0) | (s->command & 8 ? BATCH_RECORD : 0) |
                    (s->command & 4 ? BATCH_AUTO : 0),
                arg_length(s, 1) * (wide ? 2 : 1));
}

/* The 8 bit commands of older DSPs; the mixer said whether they are stereo. */
static void command_old(Sb16 *s, uint8_t batch, uint32_t bytes)
{
    s->is_signed = false;
    s->stereo = s->mixer[0x0e] & 2;
    batch_start(s, batch, bytes);
}

static void command_resume(Sb16 *s, bool wide)
{
    if (((s->batch & BATCH_16BIT) != 0) == wide && s->block) {
        s->running = true;
        voices_update(s);
    }
}

static void command_pause(Sb16 *s, bool wide)
{
    if (((s->batch & BATCH_16BIT) != 0) == wide) {
        batch_stop(s);
    }
}

static void command_answers(Sb16 *s)
{
    static const char copyright[] = "COPYRIGHT (C) CREATIVE TECHNOLOGY LTD, 1992.";

    switch (s->command) {
    case 0xe0:
        answer(s, (uint8_t)~s->args[0]);
        break;
    case 0xe1:
        answer(s, (uint8_t)(s->version >> 8));
        answer(s, (uint8_t)s->version);
        break;
    case 0xe3:
        for (unsigned i = 0; i < sizeof(copyright); i++) {
            answer(s, (uint8_t)copyright[i]);
        }
        break;
    case 0xe4:
        s->test = s->args[0];
        break;
    case 0xe8:
        answer(s, s->test);
        break;
    case 0xd8:
        answer(s, s->speaker ? 0xff : 0);
        break;
    case 0x20:
        answer(s, 0x80);        /* direct input of silence */
        break;
    default:
        break;
    }
}

static void command_run(Sb16 *s)
{
    uint8_t c = s->command;

    switch (c) {
    case 0x14:
    case 0x91:
        command_old(s, 0, c == 0x14 ? arg_length(s, 0) : s->block);
        break;
    case 0x16 ... 0x17:
    case 0x74 ... 0x77:
        command_old(s, BATCH_SILENCE, arg_length(s, 0));
        break;
    case 0x1c:
    case 0x90:
        command_old(s, BATCH_AUTO, s->block);
        break;
    case 0x24:
    case 0x99:
        command_old(s, BATCH_RECORD, c == 0x24 ? arg_length(s, 0) : s->block);
        break;
    case 0x2c:
    case 0x98:
        command_old(s, BATCH_RECORD | BATCH_AUTO, s->block);
        break;
    case 0x40:
        s->rate = 1000000 / (256 - s->args[0]);
        s->by_constant = true;
        break;
    case 0x41 ... 0x42:
        s->rate = (uint32_t)s->args[0] << 8 | s->args[1];
        s->by_constant = false;
        break;
    case 0x45:
    case 0x47:
        command_resume(s, c == 0x47);
        break;
    case 0x48:
        s->block = arg_length(s, 0);
        break;
    case 0x80:
        command_old(s, BATCH_SILENCE, arg_length(s, 0));
        break;
    case 0xb0 ... 0xcf:
        command_generic(s);
        break;
    case 0xd0:
    case 0xd5:
        command_pause(s, c == 0xd5);
        break;
    case 0xd1:
    case 0xd3:
        s->speaker = c == 0xd1;
        break;
    case 0xd4:
    case 0xd6:
        command_resume(s, c == 0xd6);
        break;
    case 0xd9 ... 0xda:
        s->stopping = true;
        break;
    case 0xf2 ... 0xf3:
        set_irq(s, c == 0xf3 ? IRQ_16BIT : IRQ_8BIT, true);
        break;
    default:
        command_answers(s);
        break;
    }
}

static void dsp_reset(Sb16 *s)
{
    s->running = s->stopping = s->speaker = s->is_signed = s->stereo = false;
    s->num_args = s->wanted_args = s->out_count = s->out_head = s->batch = 0;
    s->rate = 11025;
    s->by_constant = false;
    s->block = s->left = 0;
    set_irq(s, IRQ_8BIT | IRQ_16BIT, false);
    voices_update(s);
}

/* ---- the mixer ---- */

/* Each old register is the upper halves of two new ones, left first. */
static const struct { uint8_t old, left; } mixer_pairs[] = {
    { 0x04, 0x32 }, { 0x22, 0x30 }, { 0x26, 0x34 }, { 0x28, 0x36 }, { 0x2e, 0x38 },
};

static void volume_update(Sb16 *s)
{
    uint8_t level[2];

    for (unsigned i = 0; i < 2; i++) {
        /* five bits each, 2 dB a step; what they are after a reset is full scale */
        uint32_t v = 255u << 8;
        unsigned set =
            (s->mixer[MIX_MASTER_LEFT + i] >> 3) + (s->mixer[MIX_VOICE_LEFT + i] >> 3);
        unsigned down = set < 48 ? 48 - set : 0;

        for (unsigned k = 0; k < down; k++) {
            v = v * 7943 / 10000;
        }
        level[i] = (uint8_t)(v >> 8);
    }
    audio_set_volume(s->play, false, level[0], level[1]);
}

static void mixer_reset(Sb16 *s)
{
    static const struct { uint8_t first, last, value; } rows[] = {
        { 0x30, 0x35, 0xc0 }, { 0x3c, 0x3c, 0x1f }, { 0x3d, 0x3d, 0x15 }, { 0x3e, 0x3e, 0x0b },
        { 0x44, 0x47, 0x80 }, { 0x04, 0x04, 0xcc }, { 0x22, 0x22, 0xcc }, { 0x26, 0x26, 0xcc },
    };
    uint8_t irq = s->mixer[MIX_IRQ], dma = s->mixer[MIX_DMA];

    memset(s->mixer, 0, sizeof(s->mixer));
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        memset(s->mixer + rows[i].first, rows[i].value, rows[i].last - rows[i].first + 1u);
    }
    s->mixer[MIX_IRQ] = irq;
    s->mixer[MIX_DMA] = dma;
    volume_update(s);
}

static void mixer_write(Sb16 *s, uint8_t v)
{
    uint8_t reg = s->mixer_index;

    if (reg == MIX_RESET) {
        mixer_reset(s);
        return;
    }
    if (reg >= MIX_IRQ) {
        return;                 /* lines and channels are properties */
    }
    s->mixer[reg] = v;
    for (unsigned i = 0; i < ARRAY_COUNT(mixer_pairs); i++) {
        uint8_t old = mixer_pairs[i].old, left = mixer_pairs[i].left;

        if (reg == old) {
            s->mixer[left] = (v & 0xf0) | 8;
            s->mixer[left + 1] = (uint8_t)(v << 4) | 8;
        } else if ((reg & ~1) == left) {
            s->mixer[old] = (s->mixer[left] & 0xf0) | s->mixer[left + 1] >> 4;
        }
    }
    volume_update(s);
}

static uint8_t mixer_read(Sb16 *s)
{
    return s->mixer_index == MIX_IRQ_STATUS ? s->irq_status | 0x20 : s->mixer[s->mixer_index];
}

/* ---- ports ---- */

enum {
    PORT_MIX_INDEX = 4,
    PORT_MIX_DATA = 5,
    PORT_RESET = 6,
    PORT_READ = 10,
    PORT_COMMAND = 12,
    PORT_STATUS = 14,
    PORT_ACK16 = 15
};

static uint64_t sb16_read(void *opaque, hwaddr offset, unsigned size)
{
    Sb16 *s = opaque;

    switch (offset) {
    case PORT_MIX_INDEX:
        return s->mixer_index;
    case PORT_MIX_DATA:
        return mixer_read(s);
    case PORT_READ:
        if (s->out_count) {
            s->last_out = s->out[s->out_head];
            s->out_head = (s->out_head + 1) % QUEUE;
            s->out_count--;
        }
        return s->last_out;
    case PORT_COMMAND:
        return 0x7f;            /* always ready for more */
    case PORT_STATUS:
        set_irq(s, IRQ_8BIT, false);
        return s->out_count ? 0xff : 0x7f;
    case PORT_ACK16:
        set_irq(s, IRQ_16BIT, false);
        return 0xff;
    default:
        return 0xff;
    }
}

static void dsp_write(Sb16 *s, uint8_t v)
{
    if (s->num_args < s->wanted_args) {
        s->args[s->num_args++] = v;
    } else {
        s->command = v;
        s->num_args = 0;
        s->wanted_args = (uint8_t)num_args(v);
    }
    if (s->num_args == s->wanted_args) {
        s->num_args = s->wanted_args = 0;
        command_run(s);
    }
}

static void sb16_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Sb16 *s = opaque;
    uint8_t v = (uint8_t)value;

    switch (offset) {
    case PORT_MIX_INDEX:
        s->mixer_index = v;
        break;
    case PORT_MIX_DATA:
        mixer_write(s, v);
        break;
    case PORT_RESET:
        if (!(v & 1) && s->resetting) {
            dsp_reset(s);
            answer(s, 0xaa);
        }
        s->resetting = v & 1;
        break;
    case PORT_COMMAND:
        dsp_write(s, v);
        break;
    default:
        break;
    }
}

static const RegionOps mixer_ops = {
    .read = sb16_read, .write = sb16_write, .min_size = 1, .max_size = 1,
};

static const RegBank sb16_banks[] = {
    { .name = "io", .size = 16, .ops = &mixer_ops, .pio = true, .help = "mixer (4, 5) and DSP" },
    { 0 },
};

/* ---- the device ---- */

static uint8_t irq_code(uint32_t line)
{
    return line == 2 || line == 9 ? 1 : line == 5 ? 2 : line == 7 ? 4 : line == 10 ? 8 : 0;
}

static bool sb16_realize(Device *d, GError **error)
{
    static const AudioSettings settings = { .frequency = 11025, .channels = 1, .format = AUDIO_U8 };
    Sb16 *s = (Sb16 *)d;

    if (!irq_code(s->irq_line)) {
        return fail(error, "sb16: property 'irq' must be 2, 5, 7, 9 or 10, not %u", s->irq_line);
    }
    if (s->dma > 3 || s->dma == 2 || s->dma16 > 7 || s->dma16 == 2 || s->dma16 == 4) {
        return fail(error,
                    "sb16: 'dma' is 0, 1 or 3, 'dma16' one of these or 5 to 7, not %u and %u",
                    s->dma, s->dma16);
    }
    s->mixer[MIX_IRQ] = irq_code(s->irq_line);
    s->mixer[MIX_DMA] = (uint8_t)(1u << s->dma | 1u << s->dma16);
    s->play = audio_open(s->audiodev, false, &settings, batch_due, s);
    s->record = audio_open(s->audiodev, true, &settings, batch_due, s);
    return true;
}

static void sb16_unrealize(Device *d)
{
    audio_close(((Sb16 *)d)->play);
    audio_close(((Sb16 *)d)->record);
}

static void sb16_reset(Device *d)
{
    Sb16 *s = (Sb16 *)d;

    s->resetting = false;
    s->last_out = s->test = s->mixer_index = 0;
    dsp_reset(s);
    mixer_reset(s);
}

/* A state may come from anywhere: no index leads out of its array. */
static void sb16_post_load(Device *d)
{
    Sb16 *s = (Sb16 *)d;

    s->out_head %= QUEUE;
    s->out_count = MIN(s->out_count, QUEUE);
    s->wanted_args = MIN(s->wanted_args, sizeof(s->args));
    s->num_args = MIN(s->num_args, s->wanted_args);
    volume_update(s);
    voices_update(s);
}

static const Prop sb16_props[] = {
    PROP_AUDIODEV(Sb16, audiodev),
    PROP_U32(Sb16, version, "version", 0x0405, .max = 0xffff),
    PROP_U32(Sb16, iobase, "iobase", 0x220, .max = 0xfff0),
    PROP_U32(Sb16, irq_line, "irq", 5),
    PROP_U32(Sb16, dma, "dma", 1),
    PROP_U32(Sb16, dma16, "dma16", 5),
    PROP_END,
};

static const PinRow sb16_pins[] = { PIN_OUT(Sb16, irq, "irq"), PIN_END };

static const StateField sb16_state[] = {
    STATE(Sb16, command), STATE_RAW(Sb16, args), STATE_COUNT(Sb16, num_args, args), STATE_COUNT(Sb16, wanted_args, args),
    STATE_RAW(Sb16, out), STATE_INDEX(Sb16, out_head, out), STATE_COUNT(Sb16, out_count, out), STATE(Sb16, last_out),
    STATE(Sb16, resetting), STATE(Sb16, speaker), STATE(Sb16, test),
    STATE(Sb16, irq_status), STATE(Sb16, mixer_index), STATE_RAW(Sb16, mixer), STATE(Sb16, rate),
    STATE(Sb16, by_constant), STATE(Sb16, stereo), STATE(Sb16, is_signed), STATE(Sb16, batch),
    STATE(Sb16, running), STATE(Sb16, stopping), STATE(Sb16, block), STATE(Sb16, left),
    HOST_ONLY(Sb16, play, "host side"), HOST_ONLY(Sb16, record, "host side"), STATE_END,
};

static const IsaInfo sb16_isa = {
    .ports = { { .bank = "io", .base_prop = "iobase" } }, .irq_pin = "irq", .irq_prop = "irq",
};

static const DeviceType sb16_type = {
    .name = "sb16",
    .bus = "ISA",
    .category = "sound",
    .desc = "Creative Sound Blaster 16",
    .bus_info = &sb16_isa,
    .size = sizeof(Sb16),
    .state_version = 1,
    .props = sb16_props,
    .banks = sb16_banks,
    .pins = sb16_pins,
    .state = sb16_state,
    .realize = sb16_realize,
    .unrealize = sb16_unrealize,
    .reset = sb16_reset,
    .post_load = sb16_post_load,
};
DEVICE_TYPE(sb16_type);
