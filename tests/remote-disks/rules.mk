# SPDX-License-Identifier: GPL-2.0-or-later
# Stands in for Ceph's libraries, which are loaded when first used.
ifneq ($(filter rbd,$(LAZY_LIBRARIES)),)
check-needs += tests/fake-rbd.so
endif
tests/fake-rbd.so: $(SRC)/tests/remote-disks/fake-rbd.c
	@mkdir -p $(@D)
	@$(say) LINK $@
	$(Q)$(HOST_CC) $(CONFIG_FLAGS) $(WARN_FLAGS) -fPIC -shared -o $@ $<
