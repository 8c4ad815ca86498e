// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Libraries that few runs need and that take long to start: they are loaded when first used.
 * scripts/lazy-library.py writes "lazy/NAME.h" for a library of kind `lazy` in
 * scripts/libraries.txt; included after the library's own headers, its functions are called as
 * ever, once lazy_library_load(&lazy_NAME, error) has been true.
 */
#ifndef UTIL_LAZY_LIBRARY_H
#define UTIL_LAZY_LIBRARY_H

#include <glib.h>
#include <stdbool.h>

typedef struct LazyLibrary {
    const char *soname;
    const char *const *names;   /* of its functions, NULL at the end */
    void **functions;           /* in the same order, set by loading */
} LazyLibrary;

/* Any thread; cheap when it is loaded already. It stays loaded. False + error: it is missing. */
bool lazy_library_load(const LazyLibrary *library, GError **error);

#endif
