# SPDX-License-Identifier: GPL-2.0-or-later
# A library that is preloaded; a sanitizer's own would have to come first.
ifneq ($(SANITIZERS),y)
check-needs += tests/nbd-device.so
endif
tests/nbd-device.so: $(SRC)/tests/nbd/fake-device.c
	@mkdir -p $(@D)
	@$(say) LINK $@
	$(Q)$(HOST_CC) $(CONFIG_FLAGS) $(WARN_FLAGS) -fPIC -shared -o $@ $< -ldl
