// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Firmware files and ROM images: found on a search path, read with a limit, laid out in guest
 * memory at every reset. Contract: include/exec/loader.h.
 */
#include "exec/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

/* No file that goes into memory is larger. */
#define FILE_LIMIT (4 * GIB)

/* Folders of -L, and what was added for reset; written at start-up, by the main thread. */
static GPtrArray *folders;
static GArray *roms;

typedef struct Rom {
    char *name;
    uint8_t *data;
    size_t len;
    hwaddr addr;
    AddressSpace *as;
} Rom;

/* ---- search ---- */

void firmware_add_folder(const char *folder)
{
    if (folders == NULL) {
        folders = g_ptr_array_new_with_free_func(g_free);
    }
    g_ptr_array_add(folders, g_strdup(folder));
}

/* The folder that this program lies in. */
static char *program_folder(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);

    return self ? g_path_get_dirname(self) : g_strdup(".");
}

/* Where to look, in order; freed with g_ptr_array_unref. */
static GPtrArray *search_path(void)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) configured = g_strsplit(CONFIG_FIRMWARE_PATH, ":", -1);

    for (unsigned i = 0; folders != NULL && i < folders->len; i++) {
        g_ptr_array_add(all, g_strdup(folders->pdata[i]));
    }
    for (unsigned i = 0; configured[i] != NULL; i++) {
        if (configured[i][0] == '@') {
            g_autofree char *home = program_folder();

            g_ptr_array_add(all, g_build_filename(home, configured[i] + 1, NULL));
        } else if (configured[i][0] != '\0') {
            g_ptr_array_add(all, g_strdup(configured[i]));
        }
    }
    return all;
}

static bool readable_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode) && access(path, R_OK) == 0;
}

char *firmware_find(const char *name)
{
    g_autoptr(GPtrArray) path = NULL;

    if (readable_file(name)) {
        return g_strdup(name);
    }
    if (name[0] == '/') {
        return NULL;
    }
    path = search_path();
    for (unsigned i = 0; i < path->len; i++) {
        char *full = g_build_filename(path->pdata[i], name, NULL);

        if (readable_file(full)) {
            return full;
        }
        g_free(full);
    }
    return NULL;
}

char *firmware_find_or_fail(const char *name, const char *what, GError **error)
{
    char *found = firmware_find(name);
    g_autoptr(GPtrArray) path = NULL;
    g_autofree char *list = NULL;

    if (found != NULL) {
        return found;
    }
    if (name[0] == '/') {
        return fail_null(error, "could not find %s '%s'", what, name);
    }
    path = search_path();
    g_ptr_array_add(path, NULL);
    list = g_strjoinv(", ", (char **)path->pdata);
    return fail_null(error, "could not find %s '%s' (looked in %s)", what, name, list);
}

/* ---- files ---- */

/* Reads a file of no more than max bytes from fd. */
static bool read_all(int fd, uint64_t max, GByteArray *out, const char *what, const char *path,
                     GError **error)
{
    uint8_t buf[65536];

    for (;;) {
        ssize_t n = read(fd, buf, sizeof(buf));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail_errno(error, errno, "could not read %s '%s'", what, path);
        }
        if (n == 0) {
            return true;
        }
        if (out->len + (uint64_t)n > max) {
            return fail(error, "%s '%s' is too large (at most %" G_GUINT64_FORMAT " bytes)", what,
                        path, max);
        }
        g_byte_array_append(out, buf, n);
    }
}

bool load_file(const char *path, const char *what, uint64_t max, uint8_t **data, size_t *len,
               GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    uint64_t limit = max == 0 ? FILE_LIMIT - 1 : MIN(max, FILE_LIMIT - 1);
    GByteArray *bytes;
    struct stat st;
    bool ok;

    if (fd < 0) {
        return fail_errno(error, errno, "could not open %s '%s'", what, path);
    }
    if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
        close(fd);
        return fail_errno(error, EISDIR, "could not read %s '%s'", what, path);
    }
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > limit) {
        close(fd);
        return fail(error, "%s '%s' is too large (%" G_GUINT64_FORMAT " bytes, at most %"
                    G_GUINT64_FORMAT ")", what, path, (uint64_t)st.st_size, limit);
    }
    bytes = S_ISREG(st.st_mode) ? g_byte_array_sized_new(st.st_size) : g_byte_array_new();
    ok = read_all(fd, limit, bytes, what, path, error);
    close(fd);
    *len = bytes->len;
    *data = g_byte_array_free(bytes, !ok);
    return ok;
}

/* ---- ROM images ---- */

static void add_rom(const char *name, uint8_t *data, size_t len, hwaddr addr, AddressSpace *as)
{
    Rom rom = {g_strdup(name), data, len, addr, as};

    if (roms == NULL) {
        roms = g_array_new(FALSE, FALSE, sizeof(Rom));
    }
    g_array_append_val(roms, rom);
}

void rom_add_blob(const char *name, const void *data, size_t len, hwaddr addr, AddressSpace *as)
{
    add_rom(name, g_memdup2(data, len), len, addr, as);
}

bool rom_add_file(const char *path, hwaddr addr, uint64_t max, uint64_t *size, GError **error)
{
    uint8_t *data;
    size_t len;

    if (!load_file(path, "ROM image", max, &data, &len, error)) {
        return false;
    }
    if (size != NULL) {
        *size = len;
    }
    add_rom(path, data, len, addr, NULL);
    return true;
}

void rom_print(GString *out)
{
    for (unsigned i = 0; roms != NULL && i < roms->len; i++) {
        const Rom *r = &g_array_index(roms, Rom, i);

        g_string_append_printf(out, "addr=%016" PRIx64 " size=0x%06zx mem=%s name=\"%s\"\n",
                               r->addr, r->len, r->as == NULL ? "rom" : "ram", r->name);
    }
}

static int compare_roms(const void *a, const void *b)
{
    hwaddr x = (*(const Rom *const *)a)->addr, y = (*(const Rom *const *)b)->addr;

    return x < y ? -1 : x > y;
}

void rom_largest_gap(uint64_t *base, uint64_t *size)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    uint64_t at = *base, end = *base + *size, best = at, best_size = 0;

    for (unsigned i = 0; roms != NULL && i < roms->len; i++) {
        g_ptr_array_add(sorted, &g_array_index(roms, Rom, i));
    }
    g_ptr_array_sort(sorted, compare_roms);
    for (unsigned i = 0; i <= sorted->len; i++) {
        const Rom *r = i < sorted->len ? sorted->pdata[i] : NULL;
        uint64_t stop = r ? MIN(r->addr, end) : end;

        if (stop > at && stop - at > best_size) {
            best = at;
            best_size = stop - at;
        }
        at = r ? MAX(at, MIN(r->addr + r->len, end)) : at;
    }
    *base = best;
    *size = best_size;
}

void rom_reset(void)
{
    for (unsigned i = 0; roms != NULL && i < roms->len; i++) {
        const Rom *r = &g_array_index(roms, Rom, i);

        address_space_write_rom(r->as != NULL ? r->as : address_space_memory(), r->addr, r->data,
                                r->len);
    }
}
