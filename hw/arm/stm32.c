// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Boards with STM32 controllers: Netduino 2 (STM32F205, RM0033), Netduino Plus 2 (STM32F405,
 * RM0090), STM32VLDISCOVERY (STM32F100, RM0041). Clocks, GPIO, DMA, USB, Ethernet and what else has
 * no row here with a type reads as 0.
 */
#include "hw/arm/armv7m.h"

#include "exec/bank.h"

#define USART(n, at, line)                                                              \
    {                                                                                   \
        .type = "stm32f2xx-usart", .addr = at, .serial = NTH(n), .irqs = { LINE(line) } \
    }
#define SPI(at, line) {.type = "stm32f2xx-spi", .addr = at, .irqs = {LINE(line)}}
#define TIMER(at, line) {.type = "stm32f2xx-timer", .addr = at, .irqs = {LINE(line)}}
#define BLANK(label, at) {.name = label, .addr = at, .size = 0x400}

static const BoardSlot f205_slots[] = {
    {.type = "stm32f2xx-syscfg", .addr = 0x40013800},
    USART(0, 0x40011000, 37), USART(1, 0x40004400, 38), USART(2, 0x40004800, 39), USART(3, 0x40004c00, 52), USART(4, 0x40005000, 53),
    USART(5, 0x40011400, 71),
    TIMER(0x40000000, 28), TIMER(0x40000400, 29), TIMER(0x40000800, 30), TIMER(0x40000c00, 50),
    {.type = "or-irq", .bank = "", .name = "adc-irq", .irqs = {LINE(18)}},
    {.type = "stm32f2xx-adc", .addr = 0x40012000, .name = "adc0"}, {.type = "stm32f2xx-adc", .addr = 0x40012100, .name = "adc1"},
    {.type = "stm32f2xx-adc", .addr = 0x40012200, .name = "adc2"},
    SPI(0x40013000, 35), SPI(0x40003800, 36), SPI(0x40003c00, 51),
};

static const BoardSlot f405_slots[] = {
    {.type = "stm32f4xx-syscfg", .addr = 0x40013800, .name = "syscfg"},
    USART(0, 0x40011000, 37), USART(1, 0x40004400, 38), USART(2, 0x40004800, 39), USART(3, 0x40004c00, 52), USART(4, 0x40005000, 53),
    USART(5, 0x40011400, 71), USART(6, 0x40007800, 82),
    TIMER(0x40000000, 28), TIMER(0x40000400, 29), TIMER(0x40000800, 30), TIMER(0x40000c00, 50),
    {.type = "or-irq", .bank = "", .name = "adc-irq", .irqs = {LINE(18)}},
    {.type = "stm32f2xx-adc", .addr = 0x40012000, .name = "adc0"}, {.type = "stm32f2xx-adc", .addr = 0x40012100, .name = "adc1"},
    {.type = "stm32f2xx-adc", .addr = 0x40012200, .name = "adc2"}, {.type = "stm32f2xx-adc", .addr = 0x40012300, .name = "adc3"},
    {.type = "stm32f2xx-adc", .addr = 0x40012400, .name = "adc4"}, {.type = "stm32f2xx-adc", .addr = 0x40012500, .name = "adc5"},
    SPI(0x40013000, 35), SPI(0x40003800, 36), SPI(0x40003c00, 51), SPI(0x40013400, 84), SPI(0x40015000, 85), SPI(0x40015400, 86),
    {.type = "or-irq", .bank = "", .name = "exti9_5", .irqs = {LINE(23)}}, {.type = "or-irq", .bank = "", .name = "exti15_10", .irqs = {LINE(40)}},
    {.type = "stm32f4xx-exti", .addr = 0x40013c00, .name = "exti", .irqs = {LINE(6), LINE(7), LINE(8), LINE(9), LINE(10)}},
    BLANK("timer[6]", 0x40001000), BLANK("timer[7]", 0x40001400), BLANK("timer[12]", 0x40001800), BLANK("timer[13]", 0x40001c00),
    BLANK("timer[14]", 0x40002000), BLANK("RTC and BKP", 0x40002800), BLANK("WWDG", 0x40002c00), BLANK("IWDG", 0x40003000),
    BLANK("I2S3ext", 0x40004000), BLANK("I2C1", 0x40005400), BLANK("I2C2", 0x40005800), BLANK("I2C3", 0x40005c00), BLANK("CAN1", 0x40006400),
    BLANK("CAN2", 0x40006800), BLANK("PWR", 0x40007000), BLANK("DAC", 0x40007400), BLANK("timer[1]", 0x40010000), BLANK("timer[8]", 0x40010400),
    BLANK("SDIO", 0x40012c00), BLANK("timer[9]", 0x40014000), BLANK("timer[10]", 0x40014400), BLANK("timer[11]", 0x40014800),
    BLANK("GPIOA", 0x40020000), BLANK("GPIOB", 0x40020400), BLANK("GPIOC", 0x40020800), BLANK("GPIOD", 0x40020c00), BLANK("GPIOE", 0x40021000),
    BLANK("GPIOF", 0x40021400), BLANK("GPIOG", 0x40021800), BLANK("GPIOH", 0x40021c00), BLANK("GPIOI", 0x40022000), BLANK("CRC", 0x40023000),
    BLANK("RCC", 0x40023800), BLANK("Flash Int", 0x40023c00), BLANK("BKPSRAM", 0x40024000), BLANK("DMA1", 0x40026000), BLANK("DMA2", 0x40026400),
    {.name = "Ethernet", .addr = 0x40028000, .size = 0x1400}, {.name = "USB OTG HS", .addr = 0x40040000, .size = 0x30000},
    {.name = "USB OTG FS", .addr = 0x50000000, .size = 0x31000}, BLANK("DCMI", 0x50050000), BLANK("RNG", 0x50060800),
};

static const BoardSlot f100_slots[] = {
    USART(0, 0x40013800, 37), USART(1, 0x40004400, 38), USART(2, 0x40004800, 39), SPI(0x40013000, 35), SPI(0x40003800, 36),
    BLANK("timer[2]", 0x40000000), BLANK("timer[3]", 0x40000400), BLANK("timer[4]", 0x40000800), BLANK("timer[6]", 0x40001000),
    BLANK("timer[7]", 0x40001400), BLANK("RTC", 0x40002800), BLANK("WWDG", 0x40002c00), BLANK("IWDG", 0x40003000), BLANK("I2C1", 0x40005400),
    BLANK("I2C2", 0x40005800), BLANK("BKP", 0x40006c00), BLANK("PWR", 0x40007000), BLANK("DAC", 0x40007400), BLANK("CEC", 0x40007800),
    BLANK("AFIO", 0x40010000), BLANK("EXTI", 0x40010400), BLANK("GPIOA", 0x40010800), BLANK("GPIOB", 0x40010c00), BLANK("GPIOC", 0x40011000),
    BLANK("GPIOD", 0x40011400), BLANK("GPIOE", 0x40011800), BLANK("ADC1", 0x40012400), BLANK("timer[1]", 0x40012c00),
    BLANK("timer[15]", 0x40014000), BLANK("timer[16]", 0x40014400), BLANK("timer[17]", 0x40014800), BLANK("DMA", 0x40020000),
    BLANK("RCC", 0x40021000), BLANK("Flash Int", 0x40022000), BLANK("CRC", 0x40023000),
};

typedef struct Stm32 {
    const char *name;
    uint64_t flash, sram, hz;
    unsigned irqs;
    const BoardSlot *slots;
    unsigned num_slots, num_adcs;
    bool quiet;                         /* what is nowhere reads as 0 */
} Stm32;

static void stm32_wire(Board *b, const Stm32 *m)
{
    Device *exti = board_device(b, "exti");

    for (unsigned i = 0; i < m->num_adcs; i++) {
        g_autofree char *name = g_strdup_printf("adc%u", i);

        wire(board_device(b, name), "irq", 0, board_device(b, "adc-irq"), "in", i);
    }
    for (unsigned i = 0; exti && i < 16; i++) {
        wire(board_device(b, "syscfg"), "out", i, exti, "in", i);
        if (i >= 5) {
            wire(exti, "irq", i, board_device(b, i < 10 ? "exti9_5" : "exti15_10"), "in", i);
        }
    }
}

static bool stm32_build(Vm *vm, const Stm32 *m, GError **error)
{
    Board *b = board_new(vm);
    const Armv7mConfig cpu = {
        .irqs = m->irqs, .cpu_hz = m->hz, .ref_hz = m->hz / 8, .bitband = true};
    g_autofree char *flash = g_strdup_printf("%s.flash", m->name),
                    *sram = g_strdup_printf("%s.sram", m->name);
    Region *alias = g_new0(Region, 1);          /* lives as long as the machine */

    if (!armv7m_create(b, &cpu, error) || !board_add_ram(b, sram, 0x20000000, m->sram, error) ||
        !region_init_rom(&b->rom, NULL, flash, m->flash, error)) {
        return false;
    }
    region_add(vm->memory, 0x08000000, &b->rom, 0);
    board_alias(b, alias, "flash.alias", &b->rom, 0, m->flash, 0);
    if (m->quiet) {
        board_quiet(b);
    }
    if (!board_add(b, m->slots, m->num_slots, error)) {
        return false;
    }
    stm32_wire(b, m);
    armv7m_boot_at(b, 0x08000000, m->flash);
    return true;
}

static bool netduino2_init(Vm *vm, GError **error)
{
    static const Stm32 m = {.name = "STM32F205",
                            .flash = 1 * MIB,
                            .sram = 128 * KIB,
                            .hz = 120000000,
                            .irqs = 96,
                            .slots = f205_slots,
                            .num_slots = ARRAY_COUNT(f205_slots),
                            .num_adcs = 3,
                            .quiet = true};

    return stm32_build(vm, &m, error);
}

static bool netduinoplus2_init(Vm *vm, GError **error)
{
    static const Stm32 m = {.name = "STM32F405",
                            .flash = 1 * MIB,
                            .sram = 192 * KIB,
                            .hz = 168000000,
                            .irqs = 96,
                            .slots = f405_slots,
                            .num_slots = ARRAY_COUNT(f405_slots),
                            .num_adcs = 6};

    return stm32_build(vm, &m, error);
}

static bool stm32vldiscovery_init(Vm *vm, GError **error)
{
    static const Stm32 m = {.name = "STM32F100",
                            .flash = 128 * KIB,
                            .sram = 8 * KIB,
                            .hz = 24000000,
                            .irqs = 61,
                            .slots = f100_slots,
                            .num_slots = ARRAY_COUNT(f100_slots)};

    return stm32_build(vm, &m, error);
}

ARMV7M_MACHINE(netduino2, "netduino2", "Netduino 2 Machine (Cortex-M3)", "cortex-m3");
ARMV7M_MACHINE(netduinoplus2, "netduinoplus2", "Netduino Plus 2 Machine (Cortex-M4)", "cortex-m4");
ARMV7M_MACHINE(stm32vldiscovery, "stm32vldiscovery", "ST STM32VLDISCOVERY (Cortex-M3)",
               "cortex-m3");
