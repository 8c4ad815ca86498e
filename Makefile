# SPDX-License-Identifier: GPL-2.0-or-later
#
# The whole build, not recursive. A source is found by being in its folder; see
# docs/devel/build.md. Runs in a build folder that configure has made; called in the source
# folder it goes on in ./build.

ifneq ($(IN_BUILD_FOLDER),y)

ifneq ($(wildcard build/config.mk),)
.PHONY: $(or $(MAKECMDGOALS),all)
.PHONY: all $(MAKECMDGOALS)
$(firstword $(MAKECMDGOALS) all):
	@$(MAKE) --no-print-directory -C build $(MAKECMDGOALS)
$(wordlist 2,99,$(MAKECMDGOALS)):
	@:
else
$(or $(MAKECMDGOALS),all):
	@echo "run ./configure first" >&2; exit 1
endif

else

# ---------------------------------------------------------------- general
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:

ifeq ($(V),1)
say = :
Q :=
else
say = printf '  %-7s %s\n'
Q := @
endif

ABS_SRC := $(realpath $(SRC))
GEN := generated
INCLUDES := -I$(GEN) -I$(SRC)/include -I$(SRC)
CFLAGS_ALL = $(CONFIG_FLAGS) $(WARN_FLAGS) $(INCLUDES) $(LIB_CFLAGS) $(CFLAGS)
LDFLAGS_ALL = $(LINK_FLAGS) $(LDFLAGS)
LIBS_ALL = $(LIB_LIBS) -lm

# $(call sources,PATTERNS): what matches in the source tree, named from its top
sources = $(patsubst $(SRC)/%,%,$(wildcard $(addprefix $(SRC)/,$(1))))
objects = $(patsubst %.c,obj/%.o,$(1))

# Fragments may add to these. Names start with $(GEN)/; what lies in $(GEN)/target-X/ goes
# only into the binaries of target-X.
generated-headers :=
generated-sources :=
# Files that are made beside the binaries and are needed to run them.
run-files :=
# Extra things that `make check` needs.
check-needs :=

FOLDERS := util qapi qom exec fpu accel chardev net block ui audio migration monitor hw
TARGET_FOLDERS := $(call sources,target-*)

-include $(wildcard $(foreach d,$(FOLDERS) tcg tcg/$(HOST_ARCH) tcg/interp $(TARGET_FOLDERS) \
    pc-bios tests docs,$(SRC)/$(d)/rules.mk $(SRC)/$(d)/*/rules.mk))

# Libraries that are loaded when first used: lazy-NAME are the sources that call them.
lazy-files := $(addprefix $(GEN)/lazy/,$(foreach l,$(LAZY_LIBRARIES),$(if $(lazy-$(l)),$(l))))
generated-headers += $(addsuffix .h,$(lazy-files))
generated-sources += $(addsuffix .c,$(lazy-files))
define lazy-rule
$(GEN)/lazy/$(1).h: $(addprefix $(SRC)/,$(lazy-$(1))) $(SRC)/scripts/lazy-library.py $(GEN)/config.link
	@mkdir -p $$(@D)
	@$$(say) GEN $$@
	$$(Q)$(SRC)/scripts/lazy-library.py $(1) '$(HOST_CC)' '$(LAZY_FLAGS_$(1))' $(GEN)/lazy/$(1) $(addprefix $(SRC)/,$(lazy-$(1)))
$(GEN)/lazy/$(1).c: $(GEN)/lazy/$(1).h ;
endef
$(foreach l,$(notdir $(lazy-files)),$(eval $(call lazy-rule,$(l))))

# ---------------------------------------------------------------- what is there
shared-sources := $(call sources,$(foreach d,$(FOLDERS),$(d)/*.c $(d)/*/*.c $(d)/*/*/*.c) \
    tcg/*.c tcg/$(HOST_ARCH)/*.c tcg/interp/*.c cpus.c)
shared-sources := $(filter-out $(DROPPED_FILES),$(shared-sources))
generated-shared := $(filter-out $(GEN)/target-%,$(generated-sources))
shared-objects := $(call objects,$(shared-sources) $(generated-shared))

# $(call target-objects,FOLDER): shared by all binaries of that folder. What is in target-X/kvm is
# for the hosts that run X.
kvm-target-i386 := target-i386
kvm-target-aarch64 := target-arm
target-objects = $(call objects,$(filter-out $(1)/binary-% \
    $(if $(filter $(1),$(kvm-target-$(HOST_ARCH))),,$(1)/kvm/%),$(call sources,$(1)/*.c $(1)/*/*.c)) \
    $(filter $(GEN)/$(1)/%,$(generated-sources)))

binary-files := $(call sources,target-*/binary-*.c)
arch-of = $(patsubst binary-%.c,%,$(notdir $(1)))
arches := $(call arch-of,$(binary-files))
ifneq ($(TARGET_LIST),)
binary-files := $(foreach f,$(binary-files),$(if $(filter $(call arch-of,$(f)),$(TARGET_LIST)),$(f)))
endif
main-sources := $(call sources,vl.c)
binaries := $(if $(main-sources),$(addprefix qemu-system-,$(call arch-of,$(binary-files))))
# a tool is a folder
tool-sources := $(filter-out $(DROPPED_FILES),$(call sources,tools/*/*.c))
tools := $(sort $(foreach f,$(tool-sources),$(word 2,$(subst /, ,$(f)))))

# test-asm-HOST.c is for that host
unit-sources := $(filter-out $(if $(filter i386,$(HOST_ARCH)),,%/test-asm-x86-64.c),$(call sources,tests/unit/test-*.c))
# of the targets that are built
unit-folders := $(patsubst %,tests/unit/%,$(sort $(patsubst %/,%,$(dir $(binary-files)))))
unit-target-sources := $(call sources,$(addsuffix /test-*.c,$(unit-folders)))
# test-kvm.c is for the hosts that have the target's KVM
unit-target-sources := $(filter-out $(patsubst %,tests/unit/%/test-kvm.c, \
    $(filter-out $(kvm-target-$(HOST_ARCH)),$(TARGET_FOLDERS))),$(unit-target-sources))
# test-NAME.c of a target may have parts, NAME-*.c
unit-part-sources := $(filter-out %/test-kvm.c $(unit-target-sources),$(call sources,$(addsuffix /*.c,$(unit-folders))))
unit-tests := $(patsubst tests/unit/%.c,tests/%,$(unit-sources) $(unit-target-sources))

all-objects := $(sort $(shared-objects) $(call objects,$(main-sources) $(tool-sources) \
    $(unit-sources) $(unit-target-sources) $(unit-part-sources) $(binary-files)) \
    $(foreach d,$(sort $(patsubst %/,%,$(dir $(binary-files)))),$(call target-objects,$(d))))

roms := $(if $(ASM16),$(patsubst %.S,%.bin,$(call sources,pc-bios/*.S)))
run-files += $(roms)

# Manual pages: read off the options' table, or written by hand for the tools.
man-pages := $(addprefix man/,$(addsuffix .1,$(binaries))) \
    $(patsubst docs/man/%,man/%,$(filter $(addprefix docs/man/,$(addsuffix .1,$(tools))),$(call sources,docs/man/*.1)))

.PHONY: run-files
run-files: $(run-files)

.PHONY: all
all: $(binaries) $(tools) $(run-files) $(man-pages)  ## the emulators, tools, ROMs and manual pages
ifeq ($(binaries),)
all: $(unit-tests)
endif

# ---------------------------------------------------------------- compile and link
$(all-objects): | $(generated-headers)

define compile
	@mkdir -p $(@D)
	@$(say) CC $(patsubst obj/%.o,%.c,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(FLAGS-$*) -MMD -MP -MF $(@:.o=.d) -c $< -o $@
endef

obj/$(GEN)/%.o: $(GEN)/%.c $(GEN)/config.stamp
	$(compile)
obj/%.o: $(SRC)/%.c $(GEN)/config.stamp
	$(compile)

# Objects are linked one by one, never from an archive: devices, trace points and the like are
# found by their linker section, and nothing else refers to them.
define link
	@mkdir -p $(@D)
	@$(say) LINK $@
	$(file >obj/$(subst /,-,$@).rsp,$(filter %.o,$^))
	$(Q)$(HOST_CC) $(LDFLAGS_ALL) $(1) @obj/$(subst /,-,$@).rsp -o $@ $(LIBS_ALL)
endef

# $(1) binary-<arch>.c
define binary-rule
qemu-system-$(call arch-of,$(1)): $(GEN)/config.link $(call objects,$(1) $(main-sources)) $(shared-objects) \
    $(call target-objects,$(patsubst %/,%,$(dir $(1))))
	$$(call link)
endef
$(foreach f,$(binary-files),$(eval $(call binary-rule,$(f))))

comma := ,
# A program that may be set-user-id has no more in it than it needs.
small-tools := $(filter qemu-bridge-helper,$(tools))
$(foreach t,$(small-tools),$(eval $(t): $(call objects,$(filter tools/$(t)/%,$(tool-sources))) $(GEN)/config.link))
$(small-tools):
	$(call link)

# Other tools have the block layer and what is below it, without the monitors' commands. A monitor
# runs the commands of every folder.
tool-objects := $(call objects,$(filter-out block/hmp-% block/shell/hmp.c qapi/dispatch.c qapi/schema.c \
    $(GEN)/qapi/qapi-commands.c,$(filter $(foreach d,util qapi qom block lazy,$(d)/% $(GEN)/$(d)/%), \
    $(shared-sources) $(generated-shared))))
tools-with-monitor := qemu-storage-daemon

define tool-rule
$(1): $(call objects,$(filter tools/$(1)/%,$(tool-sources))) $(GEN)/config.link \
    $(if $(filter $(1),$(tools-with-monitor)),$(shared-objects),$(tool-objects))
	$$(call link)
endef
$(foreach t,$(filter-out $(small-tools),$(tools)),$(eval $(call tool-rule,$(t))))

# Unit tests leave debug information in the objects, where gdb does not need it copied.
test-link = $(call link,$(if $(filter y,$(SANITIZERS)),,-Wl$(comma)-S))
$(patsubst tests/unit/%.c,tests/%,$(unit-sources)): tests/%: obj/tests/unit/%.o $(shared-objects)
	$(test-link)
define unit-target-rule
$(patsubst tests/unit/%.c,tests/%,$(1)): $(call objects,$(1) \
    $(filter $(patsubst %.c,%,$(subst /test-,/,$(1)))-%.c,$(unit-part-sources))) $(shared-objects) \
    $(call target-objects,$(word 3,$(subst /, ,$(1)))) \
    $(call objects,$(firstword $(filter $(word 3,$(subst /, ,$(1)))/%,$(binary-files))))
	$$(test-link)
endef
$(foreach f,$(unit-target-sources),$(eval $(call unit-target-rule,$(f))))

-include $(all-objects:.o=.d)

$(GEN)/config.stamp $(GEN)/config.link: config.mk ;

config.mk: $(SRC)/configure $(SRC)/scripts/libraries.txt
	@$(say) CONFIG "again, configure has changed"
	$(Q)$(SRC)/configure $(CONFIGURE_ARGS) >/dev/null

# ---------------------------------------------------------------- option ROMs
obj/pc-bios/%.o: $(SRC)/pc-bios/%.S $(GEN)/config.stamp
	@mkdir -p $(@D)
	@$(say) AS pc-bios/$*.S
	$(Q)$(ASM16) -m16 $(INCLUDES) -I$(SRC)/pc-bios -MMD -MP -MF $(@:.o=.d) -c $< -o $@
pc-bios/%.bin: obj/pc-bios/%.o $(SRC)/scripts/sign-rom.py
	@mkdir -p $(@D)
	@$(say) ROM $@
	$(Q)$(ASM16_PREFIX)ld -m elf_i386 -N --no-warn-rwx-segments -Ttext 0 -e 0 $< -o obj/pc-bios/$*.elf
	$(Q)$(ASM16_PREFIX)objcopy -O binary -j .text -j .rodata -j .data obj/pc-bios/$*.elf obj/pc-bios/$*.raw
	$(Q)$(SRC)/scripts/sign-rom.py obj/pc-bios/$*.raw $@
-include $(patsubst pc-bios/%.bin,obj/pc-bios/%.d,$(roms))

# ---------------------------------------------------------------- manual pages
man/qemu-system-%.1: qemu-system-% $(SRC)/scripts/options-gen.py $(SRC)/qapi/options.def
	@mkdir -p $(@D)
	@$(say) MAN $@
	$(Q)$(RUN_WITH) ./$< -help >$@.help
	$(Q)$(SRC)/scripts/options-gen.py --man $< $(SRC)/qapi/options.def $@.help >$@.tmp
	$(Q)mv $@.tmp $@; rm $@.help
man/%.1: $(SRC)/docs/man/%.1
	@mkdir -p $(@D)
	$(Q)cp $< $@

# ---------------------------------------------------------------- checks
suites := $(call sources,tests/*/run)

.PHONY: check
check: $(unit-tests) $(binaries) $(tools) $(run-files) $(check-needs)  ## the quick tests; T=name runs those that match
	@$(SRC)/scripts/run-tests.py --source $(ABS_SRC) --build . $(if $(RUN_WITH),--with '$(RUN_WITH)') $(if $(T),--match '$(T)') \
	    $(addprefix --unit ,$(unit-tests)) $(addprefix --suite ,$(suites))

.PHONY: check-unit
check-unit: $(unit-tests)  ## only the unit tests
	@$(SRC)/scripts/run-tests.py --source $(ABS_SRC) --build . $(if $(RUN_WITH),--with '$(RUN_WITH)') $(if $(T),--match '$(T)') \
	    $(addprefix --unit ,$(unit-tests))

.PHONY: check-asan
check-asan:  ## the quick tests in a sanitizer build, in ./asan
	@mkdir -p asan
	@test -e asan/config.mk || (cd asan && $(ABS_SRC)/configure --enable-sanitizers >configure.log)
	@$(MAKE) --no-print-directory -C asan check

.PHONY: check-crash
check-crash: tests/test-image-crash  ## crashes and failures at every write of images
	$(Q)CRASH_FULL=1 ./tests/test-image-crash

.PHONY: check-insn-long
check-insn-long: tests/target-i386/test-insn  ## a million random x86 sequences against the host, new ones each time
	$(Q)X86_ROUNDS=$(or $(X86_ROUNDS),1000) X86_SEED=$${X86_SEED:-$$(od -An -N7 -tu8 /dev/urandom | tr -d ' ')} \
	    ./tests/target-i386/test-insn

# Long targets exist when the script that does their work exists.
ifneq ($(wildcard $(SRC)/scripts/check-guest),)
.PHONY: check-guest
check-guest: all  ## boot guests
	@$(SRC)/scripts/check-guest .
endif
ifneq ($(wildcard $(SRC)/scripts/check-fuzz),)
.PHONY: check-fuzz
check-fuzz: all  ## fuzz devices and decoders
	@$(SRC)/scripts/check-fuzz .
endif
ifneq ($(wildcard $(SRC)/scripts/check-state),)
.PHONY: check-state
target-folders := $(sort $(patsubst %/,%,$(dir $(binary-files))))
check-state: tests/device-types-debug $(target-folders:%=tests/device-types-debug-%)  ## name device and CPU state that no table mentions
	@$(SRC)/scripts/check-state .
tests/device-types-debug: obj/tests/unit/test-device-types.o $(shared-objects)
	$(call link)
# the same with the CPUs of a folder
define target-types-rule
tests/device-types-debug-$(1): obj/tests/unit/test-device-types.o $(shared-objects) \
    $(call target-objects,$(1)) $(call objects,$(firstword $(filter $(1)/%,$(binary-files))))
	$$(call link)
endef
$(foreach t,$(target-folders),$(eval $(call target-types-rule,$(t))))
endif
ifneq ($(wildcard $(SRC)/scripts/bench),)
.PHONY: bench
bench: all  ## measure against the reference; W="start boot programs" picks
	@$(SRC)/scripts/bench . $(W)
endif
ifneq ($(wildcard $(SRC)/scripts/make-docs),)
.PHONY: docs
docs: all  ## refresh generated documents
	@$(SRC)/scripts/make-docs .
endif

# ---------------------------------------------------------------- habits
.PHONY: lint
lint:  ## style, layers
	@for s in check-style check-layers; do \
	    if [ -x $(SRC)/scripts/$$s.py ]; then $(SRC)/scripts/$$s.py $(ABS_SRC) || exit 1; fi; done

changed = $(shell cd $(SRC) && { git diff --name-only --diff-filter=d main... ; \
    git diff --name-only --diff-filter=d HEAD; git ls-files -o --exclude-standard; } 2>/dev/null | sort -u)
FILES ?= $(filter %.c %.h,$(changed))

.PHONY: fmt
fmt:  ## lay out changed files, or FILES="..." (from the top of the tree)
	@cd $(SRC) && for f in $(FILES); do echo "  FMT     $$f"; clang-format -i $$f || exit 1; done

all-sources := $(shared-sources) $(main-sources) $(tool-sources) $(unit-sources) \
    $(unit-target-sources) $(unit-part-sources) \
    $(foreach d,$(TARGET_FOLDERS),$(filter-out \
    $(if $(filter $(d),$(kvm-target-$(HOST_ARCH))),,$(d)/kvm/%),$(call sources,$(d)/*.c $(d)/*/*.c)))

.PHONY: check-clang
check-clang: $(generated-headers) $(generated-sources)  ## every source through clang's warnings
	@if ! command -v clang >/dev/null; then echo "check-clang: clang is missing (Debian package clang)"; exit 1; fi
	@printf '%s\n' $(addprefix $(SRC)/,$(all-sources)) $(generated-sources) | \
	    xargs -P $$(nproc) -n 8 clang -fsyntax-only -Werror -Wno-unknown-warning-option \
	    $(filter-out -W%-override-init,$(CFLAGS_ALL)) -Wno-initializer-overrides \
	    -Wno-gnu-variable-sized-type-not-at-end && echo "check-clang: no warnings"

compile_commands.json: $(all-objects)  ## compile database for editors and analysers
	@$(say) GEN $@
	$(file >$@.tmp,$(strip $(CFLAGS_ALL)))
	@$(SRC)/scripts/compile-commands.py $@.tmp '$(HOST_CC)' $(SRC) $(all-sources) > $@
	@rm -f $@.tmp

# ---------------------------------------------------------------- install, clean, help
# What install copies, and uninstall removes: folder under PREFIX, mode, files.
man1 := share/man/man1
define install-files
	$(if $(3),install -d "$(DESTDIR)$(PREFIX)/$(1)")
	$(if $(3),install -m$(2) $(3) "$(DESTDIR)$(PREFIX)/$(1)")
endef

.PHONY: install
install: all  ## copy binaries, ROMs and manual pages below $(PREFIX); DESTDIR= is honoured
	$(call install-files,bin,755,$(binaries) $(tools))
	$(call install-files,share/qemu,644,$(run-files))
	$(call install-files,$(man1),644,$(man-pages))

.PHONY: uninstall
uninstall:  ## remove what install has copied
	cd "$(DESTDIR)$(PREFIX)" && rm -f $(addprefix bin/,$(binaries) $(tools)) \
	    $(addprefix share/qemu/,$(notdir $(run-files))) $(addprefix $(man1)/,$(notdir $(man-pages)))
	-rmdir "$(DESTDIR)$(PREFIX)/share/qemu" 2>/dev/null

.PHONY: clean
clean:  ## remove what make has built
	rm -rf obj tests pc-bios man asan qemu-system-* $(tools) compile_commands.json
	find generated -type f ! -name "config.*" -delete

.PHONY: help
help:  ## this list
	@echo "targets (V=1 shows commands):"
	@sed -nE 's/^([a-z_.-]+):.*## (.*)/\1\t\2/p' $(SRC)/Makefile | while IFS="$$(printf '\t')" read -r t d; do \
	    case " $(help-missing) " in *" $$t "*) ;; *) printf '  %-22s %s\n' "$$t" "$$d";; esac; done
	@echo "binaries: $(binaries) $(tools)"
help-missing := $(foreach t,check-guest:check-guest check-fuzz:check-fuzz check-state:check-state \
    bench:bench docs:make-docs,$(if $(wildcard $(SRC)/scripts/$(word 2,$(subst :, ,$(t)))),,$(firstword $(subst :, ,$(t)))))

endif
