// SPDX-License-Identifier: GPL-2.0-or-later
/* Strict parsing of numbers and sizes. The contract is include/util/cutils.h. */
#include "util/cutils.h"

#include <glib.h>
#include <string.h>

#define SIZE_SUFFIXES "BKMGTPE"

/* Reads digits of base at *text, moves *text behind them. False for none or too many. */
static bool read_digits(const char **text, unsigned base, uint64_t *value)
{
    const char *p = *text;
    uint64_t v = 0;

    for (; g_ascii_isxdigit(*p); p++) {
        unsigned digit = g_ascii_xdigit_value(*p);

        if (digit >= base) {
            break;
        }
        if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v)) {
            return false;
        }
    }
    if (p == *text) {
        return false;
    }
    *text = p;
    *value = v;
    return true;
}

bool parse_u64(const char *text, uint64_t *value)
{
    unsigned base = 10;
    uint64_t v;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    } else if (text[0] == '0' && text[1] != '\0') {
        base = 8;
    }
    if (!read_digits(&text, base, &v) || *text != '\0') {
        return false;
    }
    *value = v;
    return true;
}

bool parse_i64(const char *text, int64_t *value)
{
    bool negative = *text == '-';
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    uint64_t magnitude;

    if (!parse_u64(text + negative, &magnitude) || magnitude > limit) {
        return false;
    }
    *value = (int64_t)(negative ? -magnitude : magnitude);
    return true;
}

/* Reads ".ddd" at *text as a fraction of unit, in bytes. */
static uint64_t read_fraction(const char **text, uint64_t unit)
{
    unsigned __int128 numerator = 0, denominator = 1;
    const char *p = *text + 1;

    for (; g_ascii_isdigit(*p); p++) {
        if (denominator < 1000000000000000000ull) {
            numerator = numerator * 10 + (*p - '0');
            denominator *= 10;
        }
    }
    *text = p;
    return (uint64_t)(numerator * unit / denominator);
}

bool parse_size(const char *text, uint64_t unit, uint64_t *bytes)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *p = text + (hex ? 2 : 0);
    const char *fraction = NULL;
    const char *suffix;
    uint64_t whole, part = 0;

    if (!read_digits(&p, hex ? 16 : 10, &whole)) {
        return false;
    }
    if (*p == '.' && !hex && g_ascii_isdigit(p[1])) {
        fraction = p;
        for (p++; g_ascii_isdigit(*p); p++) {
        }
    }
    suffix = *p != '\0' ? strchr(SIZE_SUFFIXES, g_ascii_toupper(*p)) : NULL;
    if (suffix != NULL) {
        unit = 1ull << (10 * (suffix - SIZE_SUFFIXES));
        p++;
    }
    if (*p != '\0') {
        return false;
    }
    if (fraction != NULL) {
        part = read_fraction(&fraction, unit);
    }
    if (__builtin_mul_overflow(whole, unit, &whole) ||
        __builtin_add_overflow(whole, part, &whole) || (fraction != NULL && unit == 1)) {
        return false;
    }
    *bytes = whole;
    return true;
}

bool parse_bool(const char *text, bool *value)
{
    static const char *const words[2][4] = {
        {"off", "no", "false", "n"},
        {"on", "yes", "true", "y"},
    };

    for (unsigned v = 0; v < 2; v++) {
        for (unsigned i = 0; i < 4; i++) {
            if (strcmp(text, words[v][i]) == 0) {
                *value = v;
                return true;
            }
        }
    }
    return false;
}

void copy_padded(char *field, size_t size, const char *text, char pad)
{
    size_t len = strnlen(text, size);

    memcpy(field, text, len);
    memset(field + len, pad, size - len);
}
