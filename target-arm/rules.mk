# SPDX-License-Identifier: GPL-2.0-or-later
# What the decode tables are turned into. $(call arm-decode,PREFIX,INDEX-BITS,TABLES)

arm-comma := ,
arm-gen := $(GEN)/target-arm

define arm-decode
generated-headers += $(arm-gen)/$(firstword $(subst /, ,$(1)))-decode.h
generated-sources += $(arm-gen)/$(firstword $(subst /, ,$(1)))-decode.c
$(arm-gen)/$(firstword $(subst /, ,$(1)))-decode.stamp: $(SRC)/scripts/gen-decode.py $(3)
	@$$(say) GEN "$(arm-gen) ($(1) decode tables)"
	$$(Q)$(SRC)/scripts/gen-decode.py $(1) $(2) $(arm-gen) $(3)
	@touch $$@
$(arm-gen)/$(firstword $(subst /, ,$(1)))-decode.h $(arm-gen)/$(firstword $(subst /, ,$(1)))-decode.c: $(arm-gen)/$(firstword $(subst /, ,$(1)))-decode.stamp ;
endef

$(eval $(call arm-decode,a64,31-21$(arm-comma)15-10,$(sort $(wildcard $(SRC)/target-arm/a64-*.decode))))
$(eval $(call arm-decode,a32/A32,27-20$(arm-comma)7-4,$(SRC)/target-arm/a32.decode))
$(eval $(call arm-decode,a32u/A32,27-20$(arm-comma)7-4,$(SRC)/target-arm/a32u.decode))
$(eval $(call arm-decode,t32/A32,28-20$(arm-comma)15-12$(arm-comma)7-4,$(SRC)/target-arm/t32.decode))
$(eval $(call arm-decode,t16/A32,15-6,$(SRC)/target-arm/t16.decode))
$(eval $(call arm-decode,m/A32,28-20$(arm-comma)15-12,$(SRC)/target-arm/m.decode))
$(eval $(call arm-decode,vfp/A32,27-20$(arm-comma)11-8$(arm-comma)7-6$(arm-comma)4,$(SRC)/target-arm/vfp.decode))
$(eval $(call arm-decode,neon/A32,25-23$(arm-comma)21-20$(arm-comma)17-16$(arm-comma)11-6$(arm-comma)4,$(SRC)/target-arm/neon.decode))
$(eval $(call arm-decode,neonx/A32,25-20$(arm-comma)11-8$(arm-comma)6$(arm-comma)4,$(SRC)/target-arm/neonx.decode))
