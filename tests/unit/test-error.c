// SPDX-License-Identifier: GPL-2.0-or-later
/* Errors and suggestions. */
#include "util/error.h"

#include <errno.h>

static void test_fail(void)
{
    g_autoptr(GError) e1 = NULL;
    g_autoptr(GError) e2 = NULL;
    g_autoptr(GError) e3 = NULL;

    g_assert_false(fail(&e1, "edu '%s': bad", "x"));
    g_assert_error(e1, EMU_ERROR, ERROR_GENERIC);
    g_assert_cmpstr(e1->message, ==, "edu 'x': bad");

    g_assert_false(fail_errno(&e2, ENOENT, "cannot open '%s'", "f"));
    g_assert_cmpstr(e2->message, ==, "cannot open 'f': No such file or directory");

    g_assert_false(fail_class(&e3, ERROR_DEVICE_NOT_FOUND, "no device '%s'", "d"));
    g_assert_cmpstr(error_class_name(e3->code), ==, "DeviceNotFound");
    g_assert_cmpstr(error_class_name(99), ==, "GenericError");
}

static void test_nearest(void)
{
    static const char *const names[] = {"e1000", "virtio-blk-pci", "virtio-net-pci", "q35", NULL};
    g_autofree char *text = suggestion("virtio-netpci", names);
    g_autofree char *none = suggestion("zebra", names);

    g_assert_cmpstr(nearest_name("e100", names), ==, "e1000");
    g_assert_cmpstr(nearest_name("E1000", names), ==, "e1000");
    g_assert_cmpstr(nearest_name("q53", names), ==, "q35");
    g_assert_cmpstr(nearest_name("virtoi-blk-pci", names), ==, "virtio-blk-pci");
    g_assert_null(nearest_name("", names));
    g_assert_null(nearest_name("usb-storage", names));
    g_assert_cmpstr(text, ==, " (did you mean 'virtio-net-pci'?)");
    g_assert_cmpstr(none, ==, "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error/fail", test_fail);
    g_test_add_func("/error/nearest", test_nearest);
    return g_test_run();
}
