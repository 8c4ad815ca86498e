# SPDX-License-Identifier: GPL-2.0-or-later
# What the opcode tables are turned into.

x86-gen := $(GEN)/target-i386
x86-tables := $(sort $(wildcard $(SRC)/target-i386/opcodes-*.decode))

generated-headers += $(x86-gen)/trans.h
generated-sources += $(x86-gen)/decode-table.c

$(x86-gen)/decode.stamp: $(SRC)/scripts/gen-x86-decode.py $(x86-tables)
	@$(say) GEN "$(x86-gen) (opcode tables)"
	$(Q)$(SRC)/scripts/gen-x86-decode.py $(x86-gen) $(x86-tables)
	@touch $@
$(x86-gen)/trans.h $(x86-gen)/decode-table.c: $(x86-gen)/decode.stamp ;
