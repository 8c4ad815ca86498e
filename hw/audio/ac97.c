// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AC '97 controller of the 82801AA (ICH; data sheet 290655, chapter 12) with a codec (AC '97
 * Component Specification 2.3): three bus masters for PCM in, PCM out and microphone.
 */
#include <string.h>
#include "audio/audio.h"
#include "hw/pci/pci.h"
#include "util/bswap.h"

#define CHANNELS 3u
#define NAM_SIZE 0x400u
#define NABM_SIZE 0x100u
#define ENTRIES 32u
#define CHUNK 4096u

enum { CHAN_IN, CHAN_OUT, CHAN_MIC };
/* Bus master registers of a channel, 12.2. */
enum {
    BM_BDBAR = 0,
    BM_CIV = 4,
    BM_LVI = 5,
    BM_SR = 6,
    BM_PICB = 8,
    BM_PIV = 10,
    BM_CR = 11,
    BM_STRIDE = 16
};
enum { GLOB_CNT = 0x2c, GLOB_STA = 0x30, CAS = 0x34 };
enum {
    SR_DCH = 1,
    SR_CELV = 2,
    SR_LVBCI = 4,
    SR_BCIS = 8,
    SR_FIFOE = 16,
    SR_W1C = SR_LVBCI | SR_BCIS | SR_FIFOE
};
enum { CR_RUN = 1, CR_RESET = 2, CR_LVBIE = 4, CR_FEIE = 8, CR_IOCE = 16, CR_WMASK = 0x1d };
enum { GC_COLD = 2, GC_WARM = 4, GC_WMASK = 0x3f };
enum { GS_PCM_IN = 1u << 5, GS_PCM_OUT = 1u << 6, GS_MIC = 1u << 7, GS_PRIMARY_READY = 1u << 8 };
enum { BD_IOC = 1u << 31, BD_BUP = 1u << 30 };
/* Mixer registers, 16 bits each. */
enum {
    MIX_RESET = 0x00,
    MIX_MASTER = 0x02,
    MIX_PCM_OUT = 0x18,
    MIX_REC_SELECT = 0x1a,
    MIX_REC_GAIN = 0x1c,
    MIX_POWER = 0x26,
    MIX_EXT_ID = 0x28,
    MIX_EXT_STATUS = 0x2a,
    MIX_PCM_RATE = 0x2c,
    MIX_ADC_RATE = 0x32,
    MIX_MIC_RATE = 0x34,
    MIX_VENDOR1 = 0x7c,
    MIX_VENDOR2 = 0x7e,
    MIX_REGS = 0x80 };
enum { EXT_VRA = 1, EXT_VRM = 8 };

typedef struct Channel {
    uint32_t bdbar, bd_addr, bd_ctl;
    uint8_t civ, lvi, piv, cr;
    uint16_t sr, picb;
    bool fetched;            /* the descriptor at hand was read */
    AudioVoice *voice;       /* host side */
} Channel;

typedef struct Ac97 {
    PciDevice pci;
    AudioDev *audiodev;
    uint8_t mixer[MIX_REGS];
    Channel chan[CHANNELS];
    uint32_t glob_cnt;
    uint8_t cas;
} Ac97;

static uint16_t mix(const Ac97 *s, unsigned reg)
{
    return load_le16(s->mixer + reg);
}

static void update_irq(Ac97 *s)
{
    bool level = false;

    for (unsigned i = 0; i < CHANNELS; i++) {
        Channel *c = &s->chan[i];

        level |= (c->sr & SR_LVBCI && c->cr & CR_LVBIE) || (c->sr & SR_BCIS && c->cr & CR_IOCE) ||
                 (c->sr & SR_FIFOE && c->cr & CR_FEIE);
    }
    pci_set_irq(&s->pci, level);
}

/* ---- the codec ---- */

static uint32_t rate_of(const Ac97 *s, unsigned chan)
{
    bool variable = mix(s, MIX_EXT_STATUS) & (chan == CHAN_MIC ? EXT_VRM : EXT_VRA);
    uint32_t rate = mix(s, chan == CHAN_OUT  ? MIX_PCM_RATE
                           : chan == CHAN_IN ? MIX_ADC_RATE
                                             : MIX_MIC_RATE);

    return variable && rate ? rate : 48000;
}

static void voice_update(Ac97 *s, unsigned chan)
{
    AudioSettings f = {
        .frequency = rate_of(s, chan), .channels = chan == CHAN_MIC ? 1 : 2, .format = AUDIO_S16};

    audio_set_format(s->chan[chan].voice, &f);
}

/* 0 to 31: steps of 1.5 dB below full; bit 15 mutes. */
static uint8_t loudness(unsigned attenuation)
{
    /* 1.5 dB: a factor of 0.8414 */
    uint32_t v = 255 << 8;

    for (unsigned i = 0; i < attenuation; i++) {
        v = v * 8414 / 10000;
    }
    return v >> 8;
}

static void volume_update(Ac97 *s)
{
    uint16_t master = mix(s, MIX_MASTER), pcm = mix(s, MIX_PCM_OUT);
    unsigned left = (master >> 8 & 0x1f) + (pcm >> 8 & 0x1f),
             right = (master & 0x1f) + (pcm & 0x1f);

    /* PCM's 8 is full scale */
    audio_set_volume(s->chan[CHAN_OUT].voice, (master | pcm) >> 15,
                     loudness(left > 8 ? left - 8 : 0), loudness(right > 8 ? right - 8 : 0));
}

typedef struct MixerReg {
    uint8_t reg;
    uint16_t reset, wmask;
} MixerReg;

static const MixerReg mixer_regs[] = {
    { MIX_MASTER, 0x8000, 0xbf3f }, { 0x04, 0x8000, 0xbf3f }, { 0x06, 0x8000, 0x803f }, { 0x0a, 0x0000, 0x801e },
    { 0x0c, 0x8008, 0x801f }, { 0x0e, 0x8008, 0x805f }, { 0x10, 0x8808, 0x9f1f }, { 0x12, 0x8808, 0x9f1f },
    { 0x14, 0x8808, 0x9f1f }, { 0x16, 0x8808, 0x9f1f }, { MIX_PCM_OUT, 0x8808, 0x9f1f }, { MIX_REC_SELECT, 0x0000, 0x0707 },
    { MIX_REC_GAIN, 0x8000, 0x8f0f }, { 0x20, 0x0000, 0xf380 }, { MIX_POWER, 0x000f, 0xff00 },
    { MIX_EXT_ID, 0x0809, 0x0000 }, { MIX_EXT_STATUS, 0x0009, 0x0009 }, { MIX_PCM_RATE, 0xbb80, 0xffff },
    { MIX_ADC_RATE, 0xbb80, 0xffff }, { MIX_MIC_RATE, 0xbb80, 0xffff }, { MIX_VENDOR1, 0x8384, 0 }, { MIX_VENDOR2, 0x7600, 0 },
};

static void mixer_reset(Ac97 *s)
{
    memset(s->mixer, 0, sizeof(s->mixer));
    for (unsigned i = 0; i < ARRAY_COUNT(mixer_regs); i++) {
        store_le16(s->mixer + mixer_regs[i].reg, mixer_regs[i].reset);
    }
    for (unsigned i = 0; i < CHANNELS; i++) {
        voice_update(s, i);
    }
    volume_update(s);
}

static uint64_t nam_read(void *opaque, hwaddr offset, unsigned size)
{
    Ac97 *s = opaque;

    s->cas = 0;
    return offset < MIX_REGS ? mix(s, offset) : 0xffff;
}

static void nam_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Ac97 *s = opaque;

    s->cas = 0;
    if (offset == MIX_RESET) {
        mixer_reset(s);
        return;
    }
    for (unsigned i = 0; i < ARRAY_COUNT(mixer_regs); i++) {
        const MixerReg *r = &mixer_regs[i];

        if (r->reg != offset) {
            continue;
        }
        store_le16(s->mixer + offset, (mix(s, offset) & ~r->wmask) | (value & r->wmask));
        if (offset == MIX_EXT_STATUS || (offset >= MIX_PCM_RATE && offset <= MIX_MIC_RATE)) {
            for (unsigned c = 0; c < CHANNELS; c++) {
                voice_update(s, c);
            }
        }
        volume_update(s);
    }
}

/* ---- bus masters ---- */

static bool fetch(Ac97 *s, Channel *c)
{
    uint8_t bd[8];

    if (!dma_read(&s->pci.dev, c->bdbar + c->civ * 8u, bd, sizeof(bd))) {
        return false;
    }
    c->bd_addr = load_le32(bd) & ~3u;
    c->bd_ctl = load_le32(bd + 4);
    c->picb = c->bd_ctl & 0xffff;
    c->piv = (c->civ + 1) % ENTRIES;
    c->fetched = true;
    return true;
}

static void channel_stop(Ac97 *s, Channel *c)
{
    c->sr |= SR_DCH;
    audio_set_active(c->voice, false);
}

/* The buffer at hand is over: tells, and goes on to the next one, or stops behind the last. */
static void buffer_done(Ac97 *s, Channel *c)
{
    c->fetched = false;
    if (c->bd_ctl & BD_IOC) {
        c->sr |= SR_BCIS;
    }
    if (c->civ == c->lvi) {
        c->sr |= SR_LVBCI | SR_CELV;
        channel_stop(s, c);
    } else {
        c->civ = c->piv;
        if (!fetch(s, c)) {
            channel_stop(s, c);
        }
    }
    update_irq(s);
}

static void transfer(Ac97 *s, unsigned chan, size_t bytes)
{
    Channel *c = &s->chan[chan];
    uint8_t buf[CHUNK];
    /* Buffers without samples could go round for ever. */
    unsigned buffers = 2 * ENTRIES;

    while (bytes && !(c->sr & SR_DCH) && buffers) {
        size_t n = MIN(MIN(bytes, sizeof(buf)), c->picb * 2u);

        if (n && chan == CHAN_OUT) {
            dma_read(&s->pci.dev, c->bd_addr, buf, n);
            n = audio_play(c->voice, buf, n);
        } else if (n) {
            n = audio_record(c->voice, buf, n);
            dma_write(&s->pci.dev, c->bd_addr, buf, n);
        }
        if (!n && c->picb) {
            return;
        }
        c->bd_addr += n;
        c->picb -= n / 2;
        bytes -= n;
        if (!c->picb) {
            buffers--;
            buffer_done(s, c);
        }
    }
}

static void in_due(void *opaque, size_t bytes)
{
    transfer(opaque, CHAN_IN, bytes);
}

static void out_due(void *opaque, size_t bytes)
{
    transfer(opaque, CHAN_OUT, bytes);
}

static void mic_due(void *opaque, size_t bytes)
{
    transfer(opaque, CHAN_MIC, bytes);
}

static void channel_reset(Channel *c)
{
    AudioVoice *v = c->voice;

    audio_set_active(v, false);
    *c = (Channel){ .sr = SR_DCH, .voice = v };
}

static void channel_run(Ac97 *s, Channel *c)
{
    c->sr &= ~(SR_DCH | SR_CELV);
    if (c->fetched || fetch(s, c)) {
        audio_set_active(c->voice, true);
    } else {
        channel_stop(s, c);
    }
}

static void cr_write(Ac97 *s, Channel *c, uint8_t value)
{
    if (value & CR_RESET) {
        channel_reset(c);
    } else {
        c->cr = value & CR_WMASK;
        if (!(value & CR_RUN)) {
            channel_stop(s, c);
        } else if (c->sr & SR_DCH) {
            channel_run(s, c);
        }
    }
    update_irq(s);
}

static void lvi_write(Ac97 *s, Channel *c, uint8_t value)
{
    c->lvi = value % ENTRIES;
    /* more to play: a channel that had stopped at the last one goes on */
    if (c->cr & CR_RUN && c->sr & SR_DCH) {
        c->civ = c->piv;
        channel_run(s, c);
    }
}

static uint32_t global_status(Ac97 *s)
{
    static const uint32_t bits[CHANNELS] = { GS_PCM_IN, GS_PCM_OUT, GS_MIC };
    uint32_t v = s->glob_cnt & GC_COLD ? GS_PRIMARY_READY : 0;

    for (unsigned i = 0; i < CHANNELS; i++) {
        v |= s->chan[i].sr & SR_W1C ? bits[i] : 0;
    }
    return v;
}

static uint64_t channel_get(const Channel *c, unsigned reg)
{
    switch (reg) {
    case BM_BDBAR ... BM_BDBAR + 3: return c->bdbar >> 8 * reg;
    case BM_CIV: return c->civ;
    case BM_LVI: return c->lvi;
    case BM_SR: return c->sr;
    case BM_SR + 1: return c->sr >> 8;
    case BM_PICB: return c->picb;
    case BM_PICB + 1: return c->picb >> 8;
    case BM_PIV: return c->piv;
    case BM_CR: return c->cr;
    default: return 0xff;
    }
}

static uint64_t nabm_read(void *opaque, hwaddr offset, unsigned size)
{
    Ac97 *s = opaque;
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++) {
        unsigned at = offset + i;
        uint64_t byte =
            at < CHANNELS * BM_STRIDE && at % BM_STRIDE < 12
                ? channel_get(&s->chan[at / BM_STRIDE], at % BM_STRIDE) & 0xff
            : at >= GLOB_CNT && at < GLOB_CNT + 4 ? s->glob_cnt >> 8 * (at - GLOB_CNT) & 0xff
            : at >= GLOB_STA && at < GLOB_STA + 4 ? global_status(s) >> 8 * (at - GLOB_STA) & 0xff
            : at == CAS                           ? s->cas
                                                  : 0;

        if (at == CAS) {
            s->cas = 1;
        }
        v |= byte << 8 * i;
    }
    return v;
}

static void channel_write(Ac97 *s, Channel *c, unsigned reg, uint8_t value)
{
    switch (reg) {
    case BM_BDBAR ... BM_BDBAR + 3:
        c->bdbar = (c->bdbar & ~(0xffu << 8 * reg)) | (uint32_t)value << 8 * reg;
        c->bdbar &= ~7u;
        break;
    case BM_LVI:
        lvi_write(s, c, value);
        break;
    case BM_SR:
        c->sr &= ~(value & SR_W1C);
        update_irq(s);
        break;
    case BM_CR:
        cr_write(s, c, value);
        break;
    default:
        break;
    }
}

static void nabm_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Ac97 *s = opaque;

    if (offset == GLOB_CNT && size == 4) {
        if (!(value & GC_COLD)) {
            for (unsigned i = 0; i < CHANNELS; i++) {
                channel_reset(&s->chan[i]);
            }
            mixer_reset(s);
            update_irq(s);
        }
        s->glob_cnt = value & GC_WMASK & ~(uint32_t)GC_WARM;
        return;
    }
    for (unsigned i = 0; i < size; i++) {
        unsigned at = offset + i;

        if (at < CHANNELS * BM_STRIDE && at % BM_STRIDE < 12) {
            channel_write(s, &s->chan[at / BM_STRIDE], at % BM_STRIDE, value >> 8 * i);
        }
    }
}

static const RegionOps nam_ops = {
    .read = nam_read, .write = nam_write, .min_size = 2, .max_size = 2};
static const RegionOps nabm_ops = {
    .read = nabm_read, .write = nabm_write, .min_size = 1, .max_size = 4, .unaligned = true};

static const RegBank ac97_banks[] = {
    { .name = "nam", .size = NAM_SIZE, .ops = &nam_ops, .pio = true, .help = "native audio mixer" },
    { .name = "nabm", .size = NABM_SIZE, .ops = &nabm_ops, .pio = true, .help = "native audio bus masters" },
    { 0 },
};

/* ---- the device ---- */

static bool ac97_realize(Device *d, GError **error)
{
    static AudioDueFn *const due[CHANNELS] = { in_due, out_due, mic_due };
    static const AudioSettings settings = {.frequency = 48000, .channels = 2, .format = AUDIO_S16};
    Ac97 *s = (Ac97 *)d;

    for (unsigned i = 0; i < CHANNELS; i++) {
        s->chan[i].voice = audio_open(s->audiodev, i != CHAN_OUT, &settings, due[i], s);
    }
    return true;
}

static void ac97_unrealize(Device *d)
{
    Ac97 *s = (Ac97 *)d;

    for (unsigned i = 0; i < CHANNELS; i++) {
        audio_close(s->chan[i].voice);
    }
}

static void ac97_reset(Device *d)
{
    Ac97 *s = (Ac97 *)d;

    for (unsigned i = 0; i < CHANNELS; i++) {
        channel_reset(&s->chan[i]);
    }
    mixer_reset(s);
    s->glob_cnt = 0;
    s->cas = 0;
    update_irq(s);
}

static void ac97_post_load(Device *d)
{
    Ac97 *s = (Ac97 *)d;

    for (unsigned i = 0; i < CHANNELS; i++) {
        voice_update(s, i);
        audio_set_active(s->chan[i].voice, !(s->chan[i].sr & SR_DCH));
    }
    volume_update(s);
}

static const Prop ac97_props[] = { PROP_AUDIODEV(Ac97, audiodev), PROP_END };

static const StateField channel_state[] = {
    STATE(Channel, bdbar), STATE(Channel, bd_addr), STATE(Channel, bd_ctl), STATE(Channel, civ), STATE(Channel, lvi),
    STATE(Channel, piv), STATE(Channel, cr), STATE(Channel, sr), STATE(Channel, picb), STATE(Channel, fetched),
    HOST_ONLY(Channel, voice, "host side"), STATE_END,
};

static const StateField ac97_state[] = {
    STATE_RAW(Ac97, mixer), STATE_STRUCTS(Ac97, chan, channel_state), STATE(Ac97, glob_cnt), STATE(Ac97, cas), STATE_END,
};

static const PciInfo ac97_pci = {
    .vendor = 0x8086, .device = 0x2415, .class_code = 0x040100, .revision = 1, .pin = 1,
    .bar = { { .kind = PCI_BAR_IO, .bank = "nam" }, { .kind = PCI_BAR_IO, .bank = "nabm" } },
};

static const DeviceType ac97_type = {
    .name = "AC97", .alias = "ac97", .parent = "pci-device", .bus = "PCI", .category = "sound", .desc = "Intel 82801AA AC97 Audio",
    .size = sizeof(Ac97), .state_version = 1, .bus_info = &ac97_pci, .props = ac97_props, .banks = ac97_banks,
    .state = ac97_state, .realize = ac97_realize, .unrealize = ac97_unrealize, .reset = ac97_reset, .post_load = ac97_post_load,
};
DEVICE_TYPE(ac97_type);
