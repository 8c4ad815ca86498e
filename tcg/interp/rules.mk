# SPDX-License-Identifier: GPL-2.0-or-later
# Guest floats run in the guest's rounding mode and raise its flags.
FLAGS-tcg/interp/float := -frounding-math -ftrapping-math -fsignaling-nans -ffp-contract=off -fno-math-errno
FLAGS-tcg/interp/vector-float := $(FLAGS-tcg/interp/float)
