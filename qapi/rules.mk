# SPDX-License-Identifier: GPL-2.0-or-later
# What the schema qapi/*.json and the options table qapi/options.def are turned into.

qapi-schema := $(call sources,qapi/*.json)
qapi-made := $(addprefix $(GEN)/qapi/,qapi-types.h qapi-types.c qapi-commands.h qapi-commands.c \
    qapi-events.h qapi-events.c)

generated-headers += $(filter %.h,$(qapi-made))
generated-sources += $(filter %.c,$(qapi-made))

# The generator leaves a file alone that would not change, so a stamp keeps the time.
$(GEN)/qapi/schema.stamp: $(SRC)/scripts/qapi-gen.py $(addprefix $(SRC)/,$(qapi-schema))
	@$(say) GEN "$(GEN)/qapi (schema)"
	$(Q)$(SRC)/scripts/qapi-gen.py $(GEN)/qapi $(addprefix $(SRC)/,$(qapi-schema))
	@touch $@
$(qapi-made): $(GEN)/qapi/schema.stamp ;

generated-sources += $(GEN)/qapi/options-table.c
$(GEN)/qapi/options-table.c: $(SRC)/scripts/options-gen.py $(SRC)/qapi/options.def
	@mkdir -p $(@D)
	@$(say) GEN $@
	$(Q)$(SRC)/scripts/options-gen.py $(SRC)/qapi/options.def $@
