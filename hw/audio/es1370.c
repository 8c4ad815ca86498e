// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ensoniq ES1370 (AudioPCI; specification of 1996): two playback channels, one recording
 * channel, an AK4531 codec that is only written. Left out: joystick, UART, legacy modes.
 */
#include "audio/audio.h"
#include "hw/pci/pci.h"

#define CHANNELS 3u
#define CHUNK 4096u

enum { DAC1, DAC2, ADC };
enum {
    CTL_ADC_EN = 1 << 4,
    CTL_DAC2_EN = 1 << 5,
    CTL_DAC1_EN = 1 << 6,
    CTL_WTSRSEL = 12,
    CTL_PCLKDIV = 16
};
enum { STAT_ADC = 1, STAT_DAC2 = 2, STAT_DAC1 = 4 };
#define STAT_INTR (1u << 31)
enum {
    SCTL_P1_INT = 1 << 8,
    SCTL_P2_INT = 1 << 9,
    SCTL_R1_INT = 1 << 10,
    SCTL_P1_PAUSE = 1 << 11,
    SCTL_P2_PAUSE = 1 << 12,
    SCTL_P1_LOOP = 1 << 13,
    SCTL_P2_LOOP = 1 << 14,
    SCTL_R1_LOOP = 1 << 15 };
enum { PAGE_DAC = 0xc, PAGE_ADC = 0xd };

typedef struct Channel {
    uint32_t frame_addr;
    uint32_t frame_size;     /* 31:16 longword at hand, 15:0 last longword */
    uint32_t count;          /* 31:16 samples left, 15:0 reload value */
    uint8_t part;            /* bytes of the longword at hand that are done */
    AudioVoice *voice;       /* host side */
} Channel;

typedef struct Es1370 {
    PciDevice pci;
    AudioDev *audiodev;
    uint32_t control, status, mempage, codec, sctl;
    Channel chan[CHANNELS];
} Es1370;

/* What differs between the channels. */
static const struct {
    uint32_t enable, intr, status, pause, loop;
    uint8_t mode_shift;
} rows[CHANNELS] = {
    [DAC1] = { CTL_DAC1_EN, SCTL_P1_INT, STAT_DAC1, SCTL_P1_PAUSE, SCTL_P1_LOOP, 0 },
    [DAC2] = { CTL_DAC2_EN, SCTL_P2_INT, STAT_DAC2, SCTL_P2_PAUSE, SCTL_P2_LOOP, 2 },
    [ADC] = { CTL_ADC_EN, SCTL_R1_INT, STAT_ADC, 0, SCTL_R1_LOOP, 4 },
};

static void update_irq(Es1370 *s)
{
    uint32_t pending = s->status & (STAT_ADC | STAT_DAC1 | STAT_DAC2);

    s->status = (s->status & ~STAT_INTR) | (pending ? STAT_INTR : 0);
    pci_set_irq(&s->pci, pending != 0);
}

static unsigned mode(const Es1370 *s, unsigned chan)
{
    return s->sctl >> rows[chan].mode_shift & 3;
}

static unsigned sample_bytes(const Es1370 *s, unsigned chan)
{
    static const uint8_t bytes[4] = { 1, 2, 2, 4 };

    return bytes[mode(s, chan)];
}

/* Formats, rates and who runs follow from the two control registers. */
static void channels_update(Es1370 *s)
{
    static const uint32_t fixed[4] = { 5512, 11025, 22050, 44100 };

    for (unsigned i = 0; i < CHANNELS; i++) {
        AudioSettings f = {
            .frequency = i == DAC1 ? fixed[s->control >> CTL_WTSRSEL & 3]
                                   : 1411200 / ((s->control >> CTL_PCLKDIV & 0x1fff) + 2),
            .channels = mode(s, i) & 1 ? 2 : 1,
            .format = mode(s, i) & 2 ? AUDIO_S16 : AUDIO_U8,
        };
        bool run = s->control & rows[i].enable && !(s->sctl & rows[i].pause);

        audio_set_format(s->chan[i].voice, &f);
        audio_set_active(s->chan[i].voice, run);
    }
}

static void transfer(Es1370 *s, unsigned chan, size_t due)
{
    Channel *c = &s->chan[chan];
    unsigned sample = sample_bytes(s, chan);
    uint8_t buf[CHUNK];
    bool interrupt = false;

    while (due >= sample && s->control & rows[chan].enable) {
        uint32_t at = c->frame_size >> 16, last = c->frame_size & 0xffff;
        uint32_t left = at <= last ? (last - at + 1) * 4 - c->part : 0;
        uint32_t samples = (c->count >> 16) + 1;
        size_t n = MIN(MIN(due, sizeof(buf)), MIN(left, samples * sample)) / sample * sample;

        if (!left || !n) {
            c->frame_size &= 0xffff;
            c->part = 0;
            if (left) {
                return;    /* a sample across the end: nothing that a driver sets up */
            }
            continue;
        }
        uint32_t addr = c->frame_addr + at * 4 + c->part;

        if (chan == ADC) {
            n = audio_record(c->voice, buf, n);
            dma_write(&s->pci.dev, addr, buf, n);
        } else {
            dma_read(&s->pci.dev, addr, buf, n);
            n = audio_play(c->voice, buf, n);
        }
        if (!n) {
            break;
        }
        due -= n;
        at += (c->part + n) / 4;
        c->part = (c->part + n) % 4;
        if (at > last) {
            at = 0;
            c->part = 0;
        }
        c->frame_size = at << 16 | last;
        samples -= n / sample;
        if (samples) {
            c->count = (samples - 1) << 16 | (c->count & 0xffff);
            continue;
        }
        c->count = (c->count & 0xffff) << 16 | (c->count & 0xffff);
        interrupt |= (s->sctl & rows[chan].intr) != 0;
        if (s->sctl & rows[chan].loop) {    /* set: it stops here */
            audio_set_active(c->voice, false);
            break;
        }
    }
    if (interrupt) {
        s->status |= rows[chan].status;
        update_irq(s);
    }
}

static void dac1_due(void *opaque, size_t bytes)
{
    transfer(opaque, DAC1, bytes);
}

static void dac2_due(void *opaque, size_t bytes)
{
    transfer(opaque, DAC2, bytes);
}

static void adc_due(void *opaque, size_t bytes)
{
    transfer(opaque, ADC, bytes);
}

/* ---- registers ---- */

static void control_write(Device *d, const RegAccess *a)
{
    channels_update((Es1370 *)d);
}

static void sctl_write(Device *d, const RegAccess *a)
{
    Es1370 *s = (Es1370 *)d;

    /* an interrupt is acknowledged by switching it off */
    for (unsigned i = 0; i < CHANNELS; i++) {
        if (!(s->sctl & rows[i].intr)) {
            s->status &= ~rows[i].status;
        }
    }
    update_irq(s);
    channels_update(s);
}

static uint64_t count_read(Device *d, const RegAccess *a)
{
    return ((Es1370 *)d)->chan[a->index].count;
}

static void count_write(Device *d, const RegAccess *a)
{
    Channel *c = &((Es1370 *)d)->chan[a->index];

    /* the reload value; counting starts anew */
    c->count = (a->value & 0xffff) << 16 | (a->value & 0xffff);
}

/* Frame registers of the memory page in use; index 0 and 1, 2 and 3: address and size. */
static Channel *frame_channel(Es1370 *s, unsigned index)
{
    return s->mempage == PAGE_DAC ? &s->chan[index < 2 ? DAC1 : DAC2]
         : s->mempage == PAGE_ADC && index < 2 ? &s->chan[ADC]
                                               : NULL;
}

static uint64_t frame_read(Device *d, const RegAccess *a)
{
    Channel *c = frame_channel((Es1370 *)d, a->index);

    return !c ? 0 : a->index & 1 ? c->frame_size : c->frame_addr;
}

static void frame_write(Device *d, const RegAccess *a)
{
    Channel *c = frame_channel((Es1370 *)d, a->index);

    if (c && a->index & 1) {
        c->frame_size = a->value;
        c->part = 0;
    } else if (c) {
        c->frame_addr = a->value;
    }
}

static const Reg es1370_regs[] = {
    REG(Es1370, 0x00, control, .reset = 1, .wmask = UINT32_MAX, .write = control_write),
    REG(Es1370, 0x04, status, .reset = 0x60),
    REG(Es1370, 0x0c, mempage, .wmask = 0xf),
    REG(Es1370, 0x10, codec, .wmask = 0xffff, .help = "AK4531: register and value"),
    REG(Es1370, 0x20, sctl, .wmask = 0x7fffff, .write = sctl_write, .help = "formats, interrupts, pauses, loops"),
    REG_HOOK(0x24, 4, "count", .count = CHANNELS, .read = count_read, .write = count_write),
    REG_HOOK(0x30, 4, "frame", .count = 4, .read = frame_read, .write = frame_write),
};

static const RegBank es1370_banks[] = {
    {.name = "io", .size = 0x100, BANK_REGS(es1370_regs), .pio = true}, {0}};

/* ---- the device ---- */

static bool es1370_realize(Device *d, GError **error)
{
    static AudioDueFn *const due[CHANNELS] = { dac1_due, dac2_due, adc_due };
    static const AudioSettings settings = { .frequency = 44100, .channels = 1, .format = AUDIO_U8 };
    Es1370 *s = (Es1370 *)d;

    for (unsigned i = 0; i < CHANNELS; i++) {
        s->chan[i].voice = audio_open(s->audiodev, i == ADC, &settings, due[i], s);
    }
    return true;
}

static void es1370_unrealize(Device *d)
{
    Es1370 *s = (Es1370 *)d;

    for (unsigned i = 0; i < CHANNELS; i++) {
        audio_close(s->chan[i].voice);
    }
}

static void es1370_reset(Device *d)
{
    Es1370 *s = (Es1370 *)d;

    for (unsigned i = 0; i < CHANNELS; i++) {
        s->chan[i] = (Channel){ .voice = s->chan[i].voice };
    }
    channels_update(s);
    update_irq(s);
}

static void es1370_post_load(Device *d)
{
    channels_update((Es1370 *)d);
}

static const Prop es1370_props[] = { PROP_AUDIODEV(Es1370, audiodev), PROP_END };

static const StateField channel_state[] = {
    STATE(Channel, frame_addr), STATE(Channel, frame_size), STATE(Channel, count), STATE(Channel, part),
    HOST_ONLY(Channel, voice, "host side"), STATE_END,
};
static const StateField es1370_state[] = { STATE_STRUCTS(Es1370, chan, channel_state), STATE_END };

static const PciConfigRow es1370_config[] = {
    { .name = "min_gnt", .offset = PCI_MIN_GNT, .size = 1, .reset = 0x0c },
    { .name = "max_lat", .offset = PCI_MAX_LAT, .size = 1, .reset = 0x80 },
    { 0 },
};

static const PciInfo es1370_pci = {
    .vendor = 0x1274, .device = 0x5000, .subsys_vendor = 0x4942, .subsys = 0x4c4c, .class_code = 0x040100, .pin = 1,
    .config = es1370_config, .bar = { { .kind = PCI_BAR_IO, .bank = "io" } },
};

static const DeviceType es1370_type = {
    .name = "ES1370", .alias = "es1370", .parent = "pci-device", .bus = "PCI", .category = "sound", .desc = "ENSONIQ AudioPCI ES1370",
    .size = sizeof(Es1370), .state_version = 1, .bus_info = &es1370_pci, .props = es1370_props, .banks = es1370_banks,
    .state = es1370_state, .realize = es1370_realize, .unrealize = es1370_unrealize, .reset = es1370_reset,
    .post_load = es1370_post_load,
};
DEVICE_TYPE(es1370_type);
