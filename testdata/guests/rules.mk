# SPDX-License-Identifier: Apache-2.0
# Guests for the tests, the demo and the benchmarks: `make guests` puts one .wasm per source here into $(GUESTS).

GUESTS := build/guests
GUEST_CC ?= clang
GUEST_FLAGS := --target=wasm32-wasi -Os -Wall -Wextra -Werror -Wl,--strip-debug
GUEST_WASM := $(patsubst testdata/guests/%.c,$(GUESTS)/%.wasm,$(wildcard testdata/guests/*.c)) \
    $(patsubst testdata/guests/%.wat,$(GUESTS)/%.wasm,$(wildcard testdata/guests/*.wat))
WAT2WASM := $(B)/testdata/wat2wasm

.PHONY: guests
guests: $(GUEST_WASM)

$(GUESTS)/%.wasm: testdata/guests/%.c testdata/guests/rules.mk
	@mkdir -p $(@D)
	$(GUEST_CC) $(GUEST_FLAGS) -o $@ $<

$(GUESTS)/%.wasm: testdata/guests/%.wat | $(WAT2WASM)
	@mkdir -p $(@D)
	$(WAT2WASM) $< $@

$(WAT2WASM): $(B)/testdata/wat2wasm.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(ENGINE_LIBS) $(LIBS)
