# The programs of `make bench`; tools/bench/run.py asks for them. `all` above them is the gateway itself.
include Makefile

BENCH := $(foreach p,server provider floor registry curve,$(BUILD)/bench/$(p))
bench-programs: $(BENCH)
$(BENCH): $(BUILD)/bench/%: $(BUILD)/tools/bench/%.o $(BUILD)/tools/bench/common.o $(BUILD)/tools/bench/answers.o \
  $(BUILD)/test/support/certs.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(call link,$(filter %.o,$^))
$(BUILD)/bench/registry: $(BUILD)/tools/bench/counted_storage.o \
  $(call archives,port/posix $(addprefix src/,$(call with_uses,link)))
$(BUILD)/bench/curve: $(call archives,port/posix $(addprefix src/,$(call with_uses,crypto)) $(HEAP))

.PHONY: bench-programs
-include $(wildcard $(BUILD)/tools/bench/*.d)
