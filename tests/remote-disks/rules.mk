# SPDX-License-Identifier: GPL-2.0-or-later
# Stand-ins for libraries of Ceph and Gluster, which are loaded when first used.
fake-disks := $(foreach l,rbd gluster,$(if $(filter $(l),$(LAZY_LIBRARIES)),tests/fake-$(l).so))
check-needs += $(fake-disks)
$(fake-disks): tests/fake-%.so: $(SRC)/tests/remote-disks/fake-%.c
	@mkdir -p $(@D)
	@$(say) LINK $@
	$(Q)$(HOST_CC) $(CONFIG_FLAGS) $(WARN_FLAGS) -fPIC -shared -o $@ $<
