// SPDX-License-Identifier: GPL-2.0-or-later
/* Files, ROM images and ELF executables into guest memory; damaged ones refused. */
#include "exec/loader.h"

#include <elf.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "qom/vm.h"
#include "util/bswap.h"
#include "util/main-loop.h"

static Vm *vm;
static Region ram;    /* 1 MiB at 0 */
static char *folder;

static char *write_file(const char *name, const void *data, size_t len)
{
    char *path = g_build_filename(folder, name, NULL);

    g_assert_true(g_file_set_contents(path, data, len, NULL));
    return path;
}

static void test_files(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = write_file("fw.bin", "0123456789", 10);
    g_autofree char *found = NULL;
    g_autofree uint8_t *data = NULL;
    uint64_t size;
    size_t len;

    g_assert_null(firmware_find("fw.bin"));
    g_assert_null(firmware_find_or_fail("fw.bin", "firmware", &error));
    g_assert_nonnull(strstr(error->message, "could not find firmware 'fw.bin' (looked in "));
    g_clear_error(&error);
    firmware_add_folder(folder);
    found = firmware_find("fw.bin");
    g_assert_cmpstr(found, ==, path);
    g_assert_true(load_file(path, "x", 10, &data, &len, &error));
    g_assert_cmpuint(len, ==, 10);
    g_clear_pointer(&data, g_free);
    g_assert_false(load_file(path, "x", 9, &data, &len, &error));
    g_clear_error(&error);
    g_assert_false(load_file(folder, "x", 9, &data, &len, &error));
    g_clear_error(&error);
    g_assert_false(load_file("/nonexistent", "kernel", 0, &data, &len, &error));
    g_assert_cmpstr(error->message, ==,
                    "could not open kernel '/nonexistent': No such file or directory");
    g_clear_error(&error);
    g_assert_true(rom_add_file(path, 0x8000, 0, &size, &error));
    g_assert_cmpuint(size, ==, 10);
    rom_add_blob("blob", "abc", 3, 0x8004, NULL);
    vm_reset(vm);
    g_assert_cmpint(memcmp((char *)region_host(&ram) + 0x8000, "0123abc789", 10), ==, 0);
}

/* An executable of one segment ("code") at 0x10000, with bss behind it. */
static GByteArray *make_elf(bool big)
{
    GByteArray *e = g_byte_array_new();
    Elf32_Ehdr h = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, big ? ELFDATA2MSB : ELFDATA2LSB}};
    Elf32_Phdr p = {0};

#define PUT16(f, v) f = big ? be16(v) : le16(v)
#define PUT32(f, v) f = big ? be32(v) : le32(v)
    PUT16(h.e_machine, EM_386);
    PUT16(h.e_phnum, 1);
    PUT16(h.e_phentsize, sizeof(p));
    PUT32(h.e_phoff, sizeof(h));
    PUT32(h.e_entry, 0x10004);
    PUT32(p.p_type, PT_LOAD);
    PUT32(p.p_offset, sizeof(h) + sizeof(p));
    PUT32(p.p_paddr, 0x10000);
    PUT32(p.p_filesz, 4);
    PUT32(p.p_memsz, 0x20);
    g_byte_array_append(e, (uint8_t *)&h, sizeof(h));
    g_byte_array_append(e, (uint8_t *)&p, sizeof(p));
    g_byte_array_append(e, (const uint8_t *)"code", 4);
    return e;
}

static void test_elf(void)
{
    for (int big = 0; big < 2; big++) {
        g_autoptr(GError) error = NULL;
        GByteArray *e = make_elf(big);
        g_autofree char *path = write_file("x.elf", e->data, e->len);
        ElfInfo info;

        g_assert_true(file_is_elf(path));
        g_assert_true(load_elf(path, EM_386, &info, &error));
        g_assert_cmphex(info.entry, ==, 0x10004);
        g_assert_cmphex(info.low, ==, 0x10000);
        g_assert_cmphex(info.high, ==, 0x10020);
        g_assert_cmpint(info.endian, ==, big ? DEV_BIG : DEV_LITTLE);
        g_assert_false(load_elf(path, EM_ARM, &info, &error));
        ((uint8_t *)region_host(&ram))[0x10004] = 1;
        vm_reset(vm);
        g_assert_cmpint(memcmp((char *)region_host(&ram) + 0x10000, "code\0", 5), ==, 0);
        g_byte_array_unref(e);
    }
}

/* Whatever is damaged or cut, there is an answer. */
static void test_hostile(void)
{
    GByteArray *good = make_elf(false);

    for (unsigned round = 0; round < 400; round++) {
        g_autoptr(GError) error = NULL;
        g_autofree uint8_t *bad = g_memdup2(good->data, good->len);
        size_t len = round < good->len ? round : good->len;
        g_autofree char *path = NULL;
        ElfInfo info;

        if (round >= good->len) {
            for (unsigned i = 0; i < 3; i++) {
                bad[g_test_rand_int_range(4, good->len - 4)] = g_test_rand_int_range(0, 256);
            }
        }
        path = write_file("bad.elf", bad, len);
        g_assert_true(load_elf(path, EM_386, &info, &error) == (error == NULL));
    }
    g_byte_array_unref(good);
}

static void remove_folder(void)
{
    static const char *const names[] = {"fw.bin", "x.elf", "bad.elf"};

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);

        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int result;

    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    folder = g_dir_make_tmp("test-loader-XXXXXX", NULL);
    vm = vm_new();
    address_spaces_init(vm);
    system_bus_new(vm);
    g_assert_true(region_init_ram(&ram, NULL, "ram", MIB, &error));
    region_add(vm->memory, 0, &ram, 0);
    g_test_add_func("/loader/files", test_files);
    g_test_add_func("/loader/elf", test_elf);
    g_test_add_func("/loader/hostile", test_hostile);
    result = g_test_run();
    remove_folder();
    return result;
}
