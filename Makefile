# tocsin. No configure step: `make` builds build/tocsin, `make help` lists the rest.
.DEFAULT_GOAL := all
BUILD ?= build
CXX ?= g++
ifeq ($(origin CXX),default)
CXX := g++
endif
# The C driver links: no libstdc++ at run time (tools/check_needed.sh keeps it so).
LINK ?= $(if $(findstring clang,$(CXX)),$(subst clang++,clang,$(CXX)),$(if $(findstring g++,$(CXX)),$(subst g++,gcc,$(CXX)),cc))
CXXFLAGS ?= -O2 -g
PYTHON ?= /usr/bin/python3
# V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),@true,@printf '  %-4s %s\n' $(1) $(2))

# --- flags (the same stand in CMakeLists.txt) --------------------------------
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion $(if $(CI),-Werror)
LANGUAGE := -std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-asynchronous-unwind-tables \
  -ffunction-sections -fdata-sections
HARDENING := -fPIE -fstack-protector-strong
# No path of the building machine in the binary: the same sources give the same bytes everywhere.
REPRODUCIBLE := -ffile-prefix-map=$(CURDIR)=.
# now: malloc is ours; a lazy first call would be resolved in the middle of somebody's allocation.
LINKING := -pie -Wl,-z,relro,-z,now -Wl,--gc-sections -Wl,--as-needed
LIBRARIES := -lmbedtls -lmbedx509 -lmbedcrypto -lexpat -lnghttp2 -lcares -ljansson -lpthread
# Web Push's curve: nettle, or P256=mbedtls for the smallest build, which is slower at it.
P256 ?= nettle
ifeq ($(P256),nettle)
LIBRARIES += -lhogweed -lnettle -lgmp
else ifeq ($(P256),mbedtls)
CURVE := -DTOCSIN_P256_MBEDTLS
LEFT_OUT := src/crypto/p256_nettle.cpp
else
$(error P256 is nettle or mbedtls)
endif
ifdef SANITIZE
# SANITIZE=1: AddressSanitizer and UndefinedBehaviorSanitizer, with the C library's heap.
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HEAP := port/libc
else
HEAP := port/posix/heap
# The C library wants an optimising compiler for this one, and packagers bring a level of their own.
ifeq ($(findstring FORTIFY_SOURCE,$(CPPFLAGS) $(CXXFLAGS)),)
HARDENING += $(if $(filter -O1 -O2 -O3 -Os,$(CXXFLAGS)),-D_FORTIFY_SOURCE=2)
endif
endif
COMPILE := -Isrc -I. $(LANGUAGE) $(CURVE) $(HARDENING) $(SANITIZERS) $(REPRODUCIBLE) $(CPPFLAGS) $(CXXFLAGS)
LINKING += $(SANITIZERS) $(LDFLAGS)

# --- archives: one for each folder, so that a test links only what its folder may use ---
include tools/layers.mk
objects_in = $(patsubst %.cpp,$(BUILD)/%.o,$(sort $(filter-out $(LEFT_OUT),$(wildcard $(1)/*.cpp))))
archive = $(BUILD)/lib/$(subst /,_,$(1)).a
archives = $(foreach f,$(1),$(call archive,$(f)))
# A folder, what it uses, what that uses in turn.
with_uses = $(sort $(1) $(foreach f,$(uses_$(1)),$(call with_uses,$(f))))
ALL_SRC := $(addprefix src/,$(FOLDERS))
# What src itself holds is an archive too, so that tests and scenarios link all of it but main.
PROGRAM := $(BUILD)/lib/program.a
MAIN := $(BUILD)/src/main.o
# A folder's own time changes when a file comes or goes.
define archive_rule
$(call archive,$(1)): $(call objects_in,$(1)) $(1)
endef
$(foreach f,$(ALL_SRC) port/posix port/sim port/posix/heap port/libc test/support test/swarm,$(eval $(call archive_rule,$(f))))
$(PROGRAM): $(filter-out $(MAIN),$(call objects_in,src)) src

$(BUILD)/%.o: %.cpp $(BUILD)/flags | $(BUILD)/have-libraries
	@mkdir -p $(@D)
	$(call say,C++,$<)
	$(Q)$(CXX) $(COMPILE) $(WARNINGS) -MMD -MP -c -o $@ $<

$(BUILD)/lib/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcsD $@ $(filter %.o,$^)

# Rewritten when the compiler or its flags change; all objects are then made again.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(CXX) $(COMPILE)' | cmp -s - $@ || printf '%s\n' '$(CXX) $(COMPILE)' > $@

# Names what is missing and the command that installs it.
$(BUILD)/have-libraries:
	@CXX='$(CXX)' LINK='$(LINK)' CPPFLAGS='$(CPPFLAGS)' LDFLAGS='$(LDFLAGS)' P256='$(P256)' tools/check_packages.sh build
	@mkdir -p $(@D) && touch $@
$(BUILD)/have-cmocka:
	@CXX='$(CXX)' LINK='$(LINK)' CPPFLAGS='$(CPPFLAGS)' LDFLAGS='$(LDFLAGS)' P256='$(P256)' tools/check_packages.sh check
	@mkdir -p $(@D) && touch $@

# $(call link,objects,libraries): the archives among the prerequisites are linked whole-tree, in any order.
link = $(Q)$(LINK) $(LINKING) -o $@ $(1) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(2) $(LIBRARIES)

# --- the gateway ------------------------------------------------------------
all: $(BUILD)/tocsin

$(BUILD)/tocsin: $(MAIN) $(PROGRAM) $(call archives,$(ALL_SRC) port/posix $(HEAP))
	$(call say,LINK,$@)
	$(call link,$(MAIN))

# --- tests: one program for each folder, test/unit/FOLDER/*_test.cpp -----------------
# $(call unit_program,FOLDER,ARCHIVES)
define unit_program
UNITS += $(BUILD)/unit/$(1)
$(BUILD)/unit/$(1): $(call objects_in,test/unit/$(1)) $(2) $(call archives,test/support $(HEAP))
endef
unit = $(if $(wildcard test/unit/$(1)/*_test.cpp),$(eval $(call unit_program,$(1),$(2))))
UNITS :=
$(foreach f,$(FOLDERS),$(call unit,$(f),$(call archives,$(addprefix src/,$(call with_uses,$(f))))))
$(foreach p,posix sim,$(call unit,port_$(p),$(call archives,port/$(p) $(addprefix src/,$(filter-out port_%,$(call with_uses,port_$(p)))))))
# What is above a port is tested on the simulated one.
$(BUILD)/unit/link $(BUILD)/unit/main: $(call archives,port/sim)
$(call unit,main,$(PROGRAM) $(call archives,$(ALL_SRC)))

# The registry on a disk that crashes: test/swarm. Its tests, the same with checksums that prove nothing, and the program
# that runs for as long as asked.
SWARM := $(call archives,test/swarm port/sim $(addprefix src/,$(call with_uses,link)) $(HEAP))
UNITS += $(BUILD)/unit/swarm $(BUILD)/unit/swarm_without_crc
$(BUILD)/unit/swarm: $(call objects_in,test/swarm/tests) $(SWARM) $(call archive,test/support)
$(BUILD)/unit/swarm_without_crc: $(call objects_in,test/swarm/without_crc) $(SWARM) $(call archive,test/support)
$(BUILD)/unit/swarm_without_crc: LINKING += -Wl,-z,muldefs
$(BUILD)/swarm: $(call objects_in,test/swarm/program) $(SWARM)
	$(call say,LINK,$@)
	$(call link,$(filter %.o,$^))

# What our translators say, for programs of others to read: test/peers.
$(BUILD)/speaker: $(call objects_in,test/peers/program) $(call archives,$(addprefix src/,push $(call with_uses,push)) $(HEAP))
	$(call say,LINK,$@)
	$(call link,$(filter %.o,$^))

$(UNITS):
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(call link,$(filter %.o,$^),-lcmocka)

# The whole gateway on the simulated port.
SCENARIO := $(if $(wildcard test/scenario/*_test.cpp),$(BUILD)/scenario)
$(BUILD)/scenario: $(call objects_in,test/scenario) $(PROGRAM) $(call archives,$(ALL_SRC) port/sim test/support $(HEAP))
	$(call say,LINK,$@)
	$(call link,$(filter %.o,$^),-lcmocka)

$(call objects_in,$(wildcard test/unit/* test/scenario test/support)): | $(BUILD)/have-cmocka

# Fuzzing, with clang's libFuzzer: `make fuzz` builds it below $(BUILD) with sanitizers. What a run has learned stays there,
# what it found is named; both may be thrown away. Seeds: test/fuzz/seeds.
FUZZ_CXX := $(firstword $(shell command -v clang++-14 clang++) clang++-14)
FUZZ_MAKE = $(MAKE) --no-print-directory BUILD='$(BUILD)/fuzz' CXX='$(notdir $(FUZZ_CXX))' SANITIZE=1 CPPFLAGS= LDFLAGS= \
  CXXFLAGS='-O2 -g -fsanitize=fuzzer-no-link -fsanitize-coverage-ignorelist=test/fuzz/uncovered.txt'
FUZZERS := $(addprefix $(BUILD)/,replay_fuzz http_fuzz proxy_fuzz)
$(BUILD)/replay_fuzz: $(patsubst %,$(BUILD)/test/fuzz/%.o,memory_log mend) $(call archives,$(addprefix src/,registry $(call with_uses,registry)))
$(BUILD)/http_fuzz $(BUILD)/proxy_fuzz: $(call archives,$(addprefix src/,proto $(call with_uses,proto)))
$(FUZZERS): $(BUILD)/%: $(BUILD)/test/fuzz/%.o
	$(call say,LINK,$@)
	$(Q)$(CXX) $(LINKING) -fsanitize=fuzzer -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group
fuzz-programs: $(FUZZERS)
fuzz:
	+@$(FUZZ_MAKE) fuzz-programs
	@tools/fuzz.sh '$(BUILD)/fuzz' '$(or $(SECONDS),60)'

programs: all $(UNITS) $(SCENARIO) $(BUILD)/swarm $(BUILD)/speaker
unit: $(UNITS)
	@tools/count_tests.sh $(UNITS)
scenario: $(SCENARIO)
	@tools/count_tests.sh $(SCENARIO)
swarm: $(BUILD)/swarm
	@$< --seeds $(or $(SEEDS),0) $(if $(FROM),--from $(FROM)) $(if $(MUTATION),--mutation $(MUTATION))
layers:
	@tools/check_layers.sh
style:
	@tools/check_style.sh
needed: $(BUILD)/tocsin
	@tools/check_needed.sh $<

# The suites call make again, with other flags and build folders below this one.
check:
	@MAKE='$(MAKE)' BUILD='$(BUILD)' CXX='$(CXX)' LINK='$(LINK)' tools/run_suites.sh check
test: setup
	@MAKE='$(MAKE)' BUILD='$(BUILD)' CXX='$(CXX)' LINK='$(LINK)' PYTHON='$(PYTHON)' tools/run_suites.sh test

setup:
	@tools/setup.sh test
	@PYTHON='$(PYTHON)' tools/peers.sh
demo:
	@tools/setup.sh demo
	@$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j"$$(nproc)") all
	@$(PYTHON) tools/demo.py $(BUILD)/tocsin
bench: all
	@$(PYTHON) tools/bench/run.py $(BUILD)/tocsin

format:
	clang-format-14 -i $$(find src port test tools -name '*.cpp' -o -name '*.h')

# --- installing -------------------------------------------------------------
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
SYSCONFDIR ?= /etc
# For manual pages, of which there are none yet.
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/tocsin
SYSTEMDUNITDIR ?= $(PREFIX)/lib/systemd/system
# STRIP=: the binary keeps its symbols.
STRIP ?= strip
INSTALL = DESTDIR='$(DESTDIR)' SBINDIR='$(SBINDIR)' SYSCONFDIR='$(SYSCONFDIR)' MANDIR='$(MANDIR)' DOCDIR='$(DOCDIR)' \
  SYSTEMDUNITDIR='$(SYSTEMDUNITDIR)' STRIP='$(STRIP)' tools/install.sh

install: all
	@$(INSTALL) $(BUILD)/tocsin
uninstall:
	@$(INSTALL) --remove

clean:
	rm -rf $(BUILD) build-cmake

help:
	@printf '%s\n' \
	  'make            builds build/tocsin' \
	  'make setup      installs the Debian packages for building, the demo and the tests; fetches test/peers' \
	  'make demo       shows a message to an offline user becoming a push (setup first)' \
	  'make check      build, unit tests, scenarios: no root, no network, no setup' \
	  'make test       everything that CI runs (setup first)' \
	  'make bench      the table of performance and footprint' \
	  'make swarm      crashes registries until interrupted; SEEDS=N: so many plays, FROM=SEED: from there on' \
	  'make fuzz       hostile registries and requests, under sanitizers; SECONDS=N: for so long in all, else 60' \
	  'make install    DESTDIR PREFIX SBINDIR SYSCONFDIR DOCDIR SYSTEMDUNITDIR; STRIP= keeps the symbols; MANDIR: no page yet' \
  'make uninstall  removes what install put; conf and state stay' \
	  'make format     clang-format over all sources;  make style, layers, needed: one check each' \
	  'make unit, scenario   their tests, with all output;  make clean' \
	  'Variables: CXX CXXFLAGS CPPFLAGS LDFLAGS, BUILD=folder, CI=1 (warnings are errors), SANITIZE=1, V=1,' \
	  '           P256=mbedtls (Web Push without nettle: smaller, slower)'

FORCE:
.PHONY: all programs unit scenario swarm fuzz fuzz-programs layers style needed check test setup demo bench format install uninstall clean help FORCE
.SECONDARY:
-include $(shell find $(BUILD)/src $(BUILD)/port $(BUILD)/test -name '*.d' 2>/dev/null)
