// SPDX-License-Identifier: GPL-2.0-or-later
/* Libraries that are loaded when first used. */
#include "util/lazy-library.h"

#include <dlfcn.h>

#include "util/error.h"

/* Guards the loading, and the functions' places until the last of them is set. */
static GMutex lock;

static bool load_locked(const LazyLibrary *library, GError **error)
{
    void *handle = dlopen(library->soname, RTLD_NOW | RTLD_LOCAL);
    unsigned count = g_strv_length((char **)library->names);

    if (!handle) {
        return fail(error, "the library %s is needed for this and cannot be loaded: %s",
                    library->soname, dlerror());
    }
    for (unsigned i = count; i-- > 0;) {
        void *place = dlsym(handle, library->names[i]);

        if (!place) {
            return fail(error, "the library %s is another version: it lacks %s", library->soname,
                        library->names[i]);
        }
        /* the first function comes last: whoever sees it set may call all */
        g_atomic_pointer_set(&library->functions[i], place);
    }
    return true;
}

/* Starting a library takes more stack than a coroutine has. */
static gpointer load_thread(gpointer opaque)
{
    const LazyLibrary *library = opaque;
    GError *err = NULL;

    load_locked(library, &err);
    return err;
}

bool lazy_library_load(const LazyLibrary *library, GError **error)
{
    GError *err = NULL;

    if (g_atomic_pointer_get(&library->functions[0])) {
        return true;
    }
    g_mutex_lock(&lock);
    if (!library->functions[0]) {
        err = g_thread_join(g_thread_new("library", load_thread, (gpointer)library));
    }
    g_mutex_unlock(&lock);
    if (err) {
        g_propagate_error(error, err);
        return false;
    }
    return true;
}
