# SPDX-License-Identifier: GPL-2.0-or-later
# What the decode tables are turned into. $(call arm-decode,PREFIX,INDEX-BITS,TABLES)

arm-comma := ,
arm-gen := $(GEN)/target-arm

define arm-decode
generated-headers += $(arm-gen)/$(1)-decode.h
generated-sources += $(arm-gen)/$(1)-decode.c
$(arm-gen)/$(1)-decode.stamp: $(SRC)/scripts/gen-decode.py $(3)
	@$$(say) GEN "$(arm-gen) ($(1) decode tables)"
	$$(Q)$(SRC)/scripts/gen-decode.py $(1) $(2) $(arm-gen) $(3)
	@touch $$@
$(arm-gen)/$(1)-decode.h $(arm-gen)/$(1)-decode.c: $(arm-gen)/$(1)-decode.stamp ;
endef

$(eval $(call arm-decode,a64,31-21$(arm-comma)15-10,$(sort $(wildcard $(SRC)/target-arm/a64-*.decode))))
