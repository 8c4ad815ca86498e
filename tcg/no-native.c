// SPDX-License-Identifier: GPL-2.0-or-later
/* What a host without a back end in tcg/<host> has: nothing. A back end's own definition wins. */
#include "tcg/codegen.h"

__attribute__((weak)) const CodeEngine *engine_native(void)
{
    return NULL;
}

__attribute__((weak)) bool engine_native_limit(unsigned level)
{
    return false;
}
