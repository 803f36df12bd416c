# The programs of `make bench`; tools/bench/run.py asks for them. `all` above them is the gateway itself.
include Makefile

BENCH := $(foreach p,server provider floor,$(BUILD)/bench/$(p))
bench-programs: $(BENCH)
$(BENCH): $(BUILD)/bench/%: $(BUILD)/tools/bench/%.o $(BUILD)/tools/bench/common.o $(BUILD)/test/support/certs.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(LINK) $(LINKING) -o $@ $^ $(LIBRARIES)

.PHONY: bench-programs
-include $(wildcard $(BUILD)/tools/bench/*.d)
