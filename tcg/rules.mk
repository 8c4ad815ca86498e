# SPDX-License-Identifier: GPL-2.0-or-later
lazy-capstone := tcg/i386/dump-capstone.c
# What tcg/ops.def and each target's helpers.def are turned into.

generated-headers += $(GEN)/tcg/ir-ops.h
generated-sources += $(GEN)/tcg/ir-ops.c

# The generators leave a file alone that would not change, so a stamp keeps the time.
$(GEN)/tcg/ir-ops.stamp: $(SRC)/scripts/gen-ir.py $(SRC)/tcg/ops.def
	@$(say) GEN "$(GEN)/tcg (operations)"
	$(Q)$(SRC)/scripts/gen-ir.py $(SRC)/tcg/ops.def $(GEN)/tcg
	@touch $@
$(GEN)/tcg/ir-ops.h $(GEN)/tcg/ir-ops.c: $(GEN)/tcg/ir-ops.stamp ;

# $(1) target folder
define helpers-rule
generated-headers += $(GEN)/$(1)/helpers.h
generated-sources += $(GEN)/$(1)/helpers-table.c
$(GEN)/$(1)/helpers.stamp: $(SRC)/scripts/gen-helpers.py $(SRC)/$(1)/helpers.def
	@$$(say) GEN "$(GEN)/$(1) (helpers)"
	$$(Q)$(SRC)/scripts/gen-helpers.py $(SRC)/$(1)/helpers.def $(GEN)/$(1)
	@touch $$@
$(GEN)/$(1)/helpers.h $(GEN)/$(1)/helpers-table.c: $(GEN)/$(1)/helpers.stamp ;
endef
$(foreach d,$(patsubst %/,%,$(dir $(call sources,target-*/helpers.def))),$(eval $(call helpers-rule,$(d))))
