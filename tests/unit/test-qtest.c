// SPDX-License-Identifier: GPL-2.0-or-later
/* The device test protocol over a socket pair. */
#include "monitor/qtest.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "exec/bank.h"
#include "exec/memory.h"
#include "util/main-loop.h"
#include "util/timer.h"

typedef struct Dev {
    Device dev;
    uint32_t value;
    Irq irq;
    Timer timer;
} Dev;

static void dev_write(Device *d, const RegAccess *a)
{
    timer_set_ns(&((Dev *)d)->timer, clock_now_ns(CLOCK_GUEST) + (int64_t)a->value);
}

static const Reg dev_regs[] = {REG(Dev, 0, value, .reset = 0x1234, .wmask = ~0u,
                                   .write = dev_write)};
static const RegBank dev_banks[] = {{.name = "io", .size = 4, BANK_REGS(dev_regs)}, {0}};

static void dev_in(Device *d, unsigned pin, int level)
{
    ((Dev *)d)->value += 1 + pin;
}

static const PinRow dev_pins[] = {PIN_OUT(Dev, irq, "irq"), PIN_IN("in", 2, dev_in), PIN_END};

static void dev_timer(void *opaque)
{
    irq_raise(&((Dev *)opaque)->irq);
}

static bool dev_realize(Device *d, GError **error)
{
    timer_init(&((Dev *)d)->timer, CLOCK_GUEST, dev_timer, d);
    return true;
}

static const DeviceType dev_type = {.name = "qtest-dev", .size = sizeof(Dev), .banks = dev_banks,
                                    .pins = dev_pins, .realize = dev_realize};
DEVICE_TYPE(dev_type);

static Vm *vm;
static Region ram;
static int peer;    /* the client's end */

/* Sends a command; the answer without the newline, "IRQ" lines included and joined by '|'. */
static char *ask(const char *command)
{
    g_autofree char *line = g_strdup_printf("%s\n", command);
    GString *got = g_string_new(NULL);
    const char *last;

    g_assert_cmpint(write(peer, line, strlen(line)), ==, strlen(line));
    do {
        char buf[512];
        ssize_t n;

        main_loop_iterate(false);
        n = recv(peer, buf, sizeof(buf), MSG_DONTWAIT);
        if (n > 0) {
            g_string_append_len(got, buf, n);
        }
        last = got->len > 1 ? g_strrstr_len(got->str, got->len - 1, "\n") : NULL;
        last = last != NULL ? last + 1 : got->str;
    } while (got->len == 0 || got->str[got->len - 1] != '\n' || g_str_has_prefix(last, "IRQ"));
    g_string_truncate(got, got->len - 1);
    g_strdelimit(got->str, "\n", '|');
    return g_string_free(got, FALSE);
}

#define EXPECT(command, answer)                                                                    \
    do {                                                                                           \
        g_autofree char *got_ = ask(command);                                                      \
        g_assert_cmpstr(got_, ==, answer);                                                         \
    } while (0)

static void test_memory(void)
{
    EXPECT("writel 0x100 0x11223344", "OK");
    EXPECT("readb 0x100", "OK 0x0000000000000044");
    EXPECT("readq 0x100", "OK 0x0000000011223344");
    EXPECT("read 0x100 4", "OK 0x44332211");
    EXPECT("write 0x104 2 0xabcd", "OK");
    EXPECT("b64read 0x104 2", "OK q80=");
    EXPECT("b64write 0x104 2 EjQ=", "OK");
    EXPECT("read 0x104 2", "OK 0x1234");
    EXPECT("memset 0x100 8 0xff", "OK");
    EXPECT("readw 0x106", "OK 0x000000000000ffff");
    EXPECT("inb 0x60", "OK 0x00ff");
    EXPECT("outl 0x60 1", "OK");
    EXPECT("endianness", "OK little");
}

static void test_devices(void)
{
    EXPECT("banks", "OK /machine/peripheral/d0:io:0x4");
    EXPECT("bankread d0 io 0 4", "OK 0x0000000000001234");
    EXPECT("bankread qtest-dev io 1 1", "OK 0x0000000000000012");
    EXPECT("irq_intercept_out d0", "OK");
    EXPECT("bankwrite d0 io 0 4 1000", "OK");
    EXPECT("pin d0", "OK 0");
    EXPECT("clock_step 999", "OK 999");
    EXPECT("clock_step", "IRQ raise 0|OK 1000");
    EXPECT("pin d0 irq 0", "OK 1");
    EXPECT("device_reset d0", "IRQ lower 0|OK");
    EXPECT("set_irq_in d0 in 1 1", "OK");
    EXPECT("bankread d0 io 0 4", "OK 0x0000000000001236");
    EXPECT("clock_set 5000", "OK 5000");
}

static void test_refusals(void)
{
    EXPECT("raedb 0x100", "FAIL Unknown command 'raedb' (did you mean 'readb'?)");
    EXPECT("readb", "FAIL readb takes 1 to 1 arguments");
    EXPECT("readb xyz", "FAIL 'xyz' is not a number");
    EXPECT("read 0 0x7fffffffffff", "FAIL size 0x7fffffffffff is too large");
    EXPECT("bankread d0 mmio 0 4", "FAIL 'd0' has no bank 'mmio'");
    EXPECT("bankread d0 io 2 4", "FAIL no 4 bytes at 0x2 in 'd0.io'");
    EXPECT("bankread d1 io 0 4", "FAIL Device 'd1' not found (did you mean 'd0'?)");
    EXPECT("set_irq_in d0 in 2 1", "FAIL 'd0' has no input 'in' 2");
    EXPECT("clock_set 10", "FAIL time 10 is not ahead");
    EXPECT("clock_step 0xffffffffffffffff", "FAIL step of 18446744073709551615 ns is too large");
    EXPECT("b64write 0 100 EjQ=", "FAIL 2 bytes of data for a size of 100");
}

static void connect_client(const char *folder)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(folder, "s", NULL);
    g_autofree char *spec = g_strdup_printf("unix:%s", path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    g_strlcpy(a.sun_path, path, sizeof(a.sun_path));
    g_assert_cmpint(bind(listener, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    g_assert_true(qtest_serve(vm, spec, NULL, &error));
    peer = accept(listener, NULL, NULL);
    close(listener);
    g_unlink(path);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("test-qtest-XXXXXX", NULL);
    Device *d;
    int result;

    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    clock_guest_manual();
    vm = vm_new();
    vm->machine_type = (const MachineType *)type_find("none-machine", NULL);
    address_spaces_init(vm);
    vm_make_machine(vm);
    g_assert_true(region_init_ram(&ram, NULL, "ram", MIB, &error));
    region_add(vm->memory, 0, &ram, 0);
    d = device_new(vm, "qtest-dev", &error);
    d->id = g_strdup("d0");
    g_assert_true(device_realize(d, NULL, NULL, &error));
    vm_reset(vm);
    connect_client(folder);
    g_test_add_func("/qtest/memory", test_memory);
    g_test_add_func("/qtest/devices", test_devices);
    g_test_add_func("/qtest/refusals", test_refusals);
    result = g_test_run();
    close(peer);
    g_rmdir(folder);
    return result;
}
