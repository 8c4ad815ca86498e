// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Small blocks of STM32F2 and F4: SYSCFG (RM0090, 9), which chooses a port for each external line,
 * EXTI (12), which turns edges of lines into interrupts, SPI (28) and ADC (13), at whose pins there
 * is nothing: zeros come back.
 */
#include "exec/bank.h"

#define LINES 16
#define PORTS 9

/* ---- SYSCFG ---- */

typedef struct Stm32Syscfg {
    Device dev;
    uint32_t memrmp, pmc, exticr[4], cmpcr;
    uint16_t levels[PORTS];
    Irq lines[LINES];
} Stm32Syscfg;

static void syscfg_update(Stm32Syscfg *s)
{
    for (unsigned i = 0; i < LINES; i++) {
        unsigned port = s->exticr[i / 4] >> (4 * (i % 4)) & 15;

        irq_set(&s->lines[i], port < PORTS && s->levels[port] >> i & 1);
    }
}

static void syscfg_input(Device *d, unsigned pin, int level)
{
    Stm32Syscfg *s = (Stm32Syscfg *)d;
    uint16_t *port = &s->levels[pin / LINES], bit = (uint16_t)(1u << pin % LINES);

    *port = (uint16_t)(level ? *port | bit : *port & ~bit);
    syscfg_update(s);
}

static void syscfg_changed(Device *d, const RegAccess *a)
{
    syscfg_update((Stm32Syscfg *)d);
}

static void syscfg_reset(Device *d)
{
    Stm32Syscfg *s = (Stm32Syscfg *)d;

    for (unsigned i = 0; i < PORTS; i++) {
        s->levels[i] = 0;
    }
}

/* clang-format off */
static const Reg syscfg_regs[] = {
    REG(Stm32Syscfg, 0x00, memrmp, .wmask = 0x3ff, .help = "memory at 0"),
    REG(Stm32Syscfg, 0x04, pmc, .wmask = 0xffffffff, .help = "peripheral mode"),
    REG_ARRAY(Stm32Syscfg, 0x08, exticr, .wmask = 0xffff, .write = syscfg_changed, .help = "ports of external lines"),
    REG(Stm32Syscfg, 0x20, cmpcr, .wmask = 1, .help = "compensation"),
};
/* clang-format on */
static const RegBank syscfg_banks[] = {
    {.name = "mmio", .size = 0x400, BANK_REGS(syscfg_regs), .help = "system configuration"}, {0}};
static const PinRow syscfg_pins[] = {PIN_IN("in", PORTS *LINES, syscfg_input),
                                     PIN_OUT_ARRAY(Stm32Syscfg, lines, "out"), PIN_END};
static const StateField syscfg_state[] = {STATE_ARRAY(Stm32Syscfg, levels), STATE_END};

static const DeviceType syscfg_f2 = {
    .name = "stm32f2xx-syscfg", .category = "misc", .desc = "STM32F2 SYSCFG", .internal = true, .size = sizeof(Stm32Syscfg), .state_version = 1,
    .banks = syscfg_banks, .pins = syscfg_pins, .state = syscfg_state, .reset = syscfg_reset,
};
DEVICE_TYPE(syscfg_f2);

static const DeviceType syscfg_f4 = {
    .name = "stm32f4xx-syscfg", .category = "misc", .desc = "STM32F4 SYSCFG", .internal = true, .size = sizeof(Stm32Syscfg), .state_version = 1,
    .banks = syscfg_banks, .pins = syscfg_pins, .state = syscfg_state, .reset = syscfg_reset,
};
DEVICE_TYPE(syscfg_f4);

/* ---- EXTI ---- */

#define EXTI_MASK 0x7fffffu

typedef struct Stm32Exti {
    Device dev;
    uint32_t imr, emr, rtsr, ftsr, swier, pr;
    uint32_t levels;
    Irq irq[LINES];
} Stm32Exti;

static void exti_update(Stm32Exti *s)
{
    for (unsigned i = 0; i < LINES; i++) {
        irq_set(&s->irq[i], (s->pr & s->imr) >> i & 1);
    }
}

static void exti_input(Device *d, unsigned pin, int level)
{
    Stm32Exti *s = (Stm32Exti *)d;
    uint32_t bit = 1u << pin;

    if (((s->levels & bit) != 0) == (level != 0)) {
        return;
    }
    s->levels ^= bit;
    if ((level ? s->rtsr : s->ftsr) & bit && s->imr & bit) {
        s->pr |= bit;
    }
    exti_update(s);
}

static void exti_changed(Device *d, const RegAccess *a)
{
    Stm32Exti *s = (Stm32Exti *)d;

    if (a->reg->offset == 0x10) {       /* as if the edge had come */
        s->pr |= (uint32_t)(a->value & ~a->old) & s->imr;
    } else if (a->reg->offset == 0x14) {
        s->swier &= ~(uint32_t)a->value;
    }
    exti_update(s);
}

static void exti_reset(Device *d)
{
    ((Stm32Exti *)d)->levels = 0;
}

/* clang-format off */
static const Reg exti_regs[] = {
    REG(Stm32Exti, 0x00, imr, .wmask = EXTI_MASK, .write = exti_changed, .help = "interrupt mask"),
    REG(Stm32Exti, 0x04, emr, .wmask = EXTI_MASK, .help = "event mask"),
    REG(Stm32Exti, 0x08, rtsr, .wmask = EXTI_MASK, .help = "rising edges"),
    REG(Stm32Exti, 0x0c, ftsr, .wmask = EXTI_MASK, .help = "falling edges"),
    REG(Stm32Exti, 0x10, swier, .wmask = EXTI_MASK, .write = exti_changed, .help = "edges by software"),
    REG(Stm32Exti, 0x14, pr, .w1c = EXTI_MASK, .write = exti_changed, .help = "pending"),
};
/* clang-format on */
static const RegBank exti_banks[] = {
    {.name = "mmio", .size = 0x400, BANK_REGS(exti_regs), .help = "external interrupts"}, {0}};
static const PinRow exti_pins[] = {PIN_IN("in", LINES, exti_input),
                                   PIN_OUT_ARRAY(Stm32Exti, irq, "irq"), PIN_END};
static const StateField exti_state[] = {STATE(Stm32Exti, levels), STATE_END};

static const DeviceType exti_type = {
    .name = "stm32f4xx-exti", .category = "misc", .desc = "STM32F4 EXTI", .internal = true, .size = sizeof(Stm32Exti), .state_version = 1,
    .banks = exti_banks, .pins = exti_pins, .state = exti_state, .reset = exti_reset,
};
DEVICE_TYPE(exti_type);

/* ---- SPI ---- */

typedef struct Stm32Spi {
    Device dev;
    uint32_t cr1, cr2, sr, crcpr, rxcrcr, txcrcr, i2scfgr, i2spr;
    Irq irq;
} Stm32Spi;

enum { SPI_RXNE = 1, SPI_TXE = 2 };

static void spi_update(Stm32Spi *s)
{
    irq_set(&s->irq, (s->sr & SPI_RXNE && s->cr2 & 0x40) || (s->sr & SPI_TXE && s->cr2 & 0x80));
}

static uint64_t spi_dr_read(Device *d, const RegAccess *a)
{
    ((Stm32Spi *)d)->sr &= ~(uint32_t)SPI_RXNE;
    spi_update((Stm32Spi *)d);
    return 0;
}

static void spi_dr_write(Device *d, const RegAccess *a)
{
    ((Stm32Spi *)d)->sr |= SPI_RXNE | SPI_TXE;
    spi_update((Stm32Spi *)d);
}

static void spi_changed(Device *d, const RegAccess *a)
{
    spi_update((Stm32Spi *)d);
}

/* clang-format off */
static const Reg spi_regs[] = {
    REG(Stm32Spi, 0x00, cr1, .wmask = 0xffff, .help = "control"),
    REG(Stm32Spi, 0x04, cr2, .wmask = 0xf7, .write = spi_changed, .help = "interrupts, DMA"),
    REG(Stm32Spi, 0x08, sr, .reset = 0x0a, .wmask = 0x10, .help = "status"),
    REG_HOOK(0x0c, 4, "dr", .read = spi_dr_read, .write = spi_dr_write, .help = "data"),
    REG(Stm32Spi, 0x10, crcpr, .reset = 7, .wmask = 0xffff), REG(Stm32Spi, 0x14, rxcrcr), REG(Stm32Spi, 0x18, txcrcr),
    REG(Stm32Spi, 0x1c, i2scfgr, .wmask = 0xfbf), REG(Stm32Spi, 0x20, i2spr, .reset = 2, .wmask = 0x3ff),
};
/* clang-format on */
static const RegBank spi_banks[] = {
    {.name = "mmio", .size = 0x400, BANK_REGS(spi_regs), .help = "SPI"}, {0}};
static const PinRow spi_pins[] = {PIN_OUT(Stm32Spi, irq, "irq"), PIN_END};

static const DeviceType spi_type = {
    .name = "stm32f2xx-spi", .category = "misc", .desc = "STM32 SPI", .internal = true, .size = sizeof(Stm32Spi), .state_version = 1,
    .banks = spi_banks, .pins = spi_pins,
};
DEVICE_TYPE(spi_type);

/* ---- ADC ---- */

typedef struct Stm32Adc {
    Device dev;
    uint32_t sr, cr1, cr2, smpr[2], jofr[4], htr, ltr, sqr[3], jsqr, jdr[4], dr;
    Irq irq;
} Stm32Adc;

enum { ADC_EOC = 2, ADC_STRT = 16, ADC_SWSTART = 1 << 30, ADC_ADON = 1 };

static void adc_update(Stm32Adc *s)
{
    irq_set(&s->irq, s->sr & ADC_EOC && s->cr1 & 0x20);
}

static void adc_changed(Device *d, const RegAccess *a)
{
    Stm32Adc *s = (Stm32Adc *)d;

    if (s->cr2 & ADC_SWSTART && s->cr2 & ADC_ADON) {
        s->cr2 &= ~(uint32_t)ADC_SWSTART;
        s->sr |= ADC_EOC | ADC_STRT;
        s->dr = 0;
    }
    adc_update(s);
}

static void adc_sr_write(Device *d, const RegAccess *a)
{
    Stm32Adc *s = (Stm32Adc *)d;

    s->sr &= (uint32_t)a->value;
    adc_update(s);
}

static uint64_t adc_dr_read(Device *d, const RegAccess *a)
{
    Stm32Adc *s = (Stm32Adc *)d;

    s->sr &= ~(uint32_t)ADC_EOC;
    adc_update(s);
    return s->dr;
}

/* clang-format off */
static const Reg adc_regs[] = {
    REG(Stm32Adc, 0x00, sr, .write = adc_sr_write, .help = "status"),
    REG(Stm32Adc, 0x04, cr1, .wmask = 0x07c0ffff, .write = adc_changed, .help = "control"),
    REG(Stm32Adc, 0x08, cr2, .wmask = 0x7f7f0f03, .write = adc_changed, .help = "control"),
    REG_ARRAY(Stm32Adc, 0x0c, smpr, .wmask = 0x7ffffff), REG_ARRAY(Stm32Adc, 0x14, jofr, .wmask = 0xfff),
    REG(Stm32Adc, 0x24, htr, .reset = 0xfff, .wmask = 0xfff), REG(Stm32Adc, 0x28, ltr, .wmask = 0xfff),
    REG_ARRAY(Stm32Adc, 0x2c, sqr, .wmask = 0x3fffffff), REG(Stm32Adc, 0x38, jsqr, .wmask = 0x3fffff), REG_ARRAY(Stm32Adc, 0x3c, jdr),
    REG(Stm32Adc, 0x4c, dr, .read = adc_dr_read, .help = "converted value"),
};
/* clang-format on */
static const RegBank adc_banks[] = {
    {.name = "mmio", .size = 0x100, BANK_REGS(adc_regs), .help = "ADC"}, {0}};
static const PinRow adc_pins[] = {PIN_OUT(Stm32Adc, irq, "irq"), PIN_END};

static const DeviceType adc_type = {
    .name = "stm32f2xx-adc", .category = "misc", .desc = "STM32 ADC", .internal = true, .size = sizeof(Stm32Adc), .state_version = 1,
    .banks = adc_banks, .pins = adc_pins,
};
DEVICE_TYPE(adc_type);
