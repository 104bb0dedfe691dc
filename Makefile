# SPDX-License-Identifier: Apache-2.0
# make [VARIANT=release|asan|tsan|cov|fuzz] - objects go to build/<variant>/, the same rules with other flags.
#
#   make           build the program          make demo      install what is missing, build, do the main job
#   make check     all tests, ends in counts  make lint      the house rules alone
#   make asan      build with ASan and UBSan  make fuzz      fuzz each parser for FUZZ_SECONDS, run MUTANT_COUNT mutants
#   make bench     compare with peers         make interop   install peers, test against them
#   make vectors VECTORS=DIR                  run public signature vectors
#   make wasi WASI_TESTSUITE=DIR              run the preview 1 cases of the WASI test suite
#   make install / uninstall [DESTDIR= PREFIX=/usr/local LIBDIR= INCLUDEDIR=]    make dist    make compile_commands.json

VARIANT ?= release
B := build/$(VARIANT)
E := build/engine
VERSION := $(shell sed -n 's/^.define WAYBILL_VERSION "\(.*\)"/\1/p' base/version.h)

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
# The program finds its plugins from its own folder: base/plugin.h.
PLUGINDIR = $(BINDIR)/../lib/waybill

CC = gcc
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wvla \
    -Wformat=2 -Wno-format-nonliteral
WERROR := $(if $(CI),-Werror)
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection
FLAGS_release := -O2 -g1 -D_FORTIFY_SOURCE=2 $(HARDEN)
FLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS_tsan := -O1 -g -fsanitize=thread
FLAGS_cov := -O0 -g --coverage
FLAGS_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_release := -Wl,-z,relro,-z,now,-z,noexecstack,-z,pack-relative-relocs -Wl,--gc-sections -Wl,--as-needed
LDFLAGS_asan := -fsanitize=address,undefined
LDFLAGS_tsan := -O1 -g -fsanitize=thread
FLAGS_cov := --coverage
LDFLAGS_fuzz := -fsanitize=address,undefined
ifeq ($(VARIANT),fuzz)
CC = clang
endif

override CPPFLAGS += -I. -isystem $(E)/include -D_GNU_SOURCE -MMD -MP
override CFLAGS += -std=c17 $(WARN) $(WERROR) -fPIC -fno-semantic-interposition -ffunction-sections -fdata-sections \
    $(FLAGS_$(VARIANT))
override LDFLAGS += $(LDFLAGS_$(VARIANT))
LIBS = -lgcrypt -ljansson -ldl
ENGINE_LIB := $(E)/lib/libwaybill_engine.a
ENGINE_LIBS = $(ENGINE_LIB) -lm -lpthread -static-libgcc

# A plugin NAME is ROOM/NAME_*.c, with its own copy of what it uses of base/ and of the rest of net/. Its front,
# ROOM/NAME.c, is in the library.
PLUGINS := http archive ssh cert
LIBS_http := -lcurl
LIBS_archive := -larchive
LIBS_ssh := -lssh
LIBS_cert := -lgnutls
plugin_src = $(wildcard net/$1_*.c oci/$1_*.c sign/$1_*.c)
PLUGIN_SRC := $(foreach p,$(PLUGINS),$(call plugin_src,$p))
NET_COMMON := $(filter-out $(PLUGINS:%=net/%.c) $(PLUGIN_SRC),$(wildcard net/*.c))

# The filter of system calls is made by a program of the build.
SANDBOX_GEN := runner/sandbox_seccomp_gen.c
LIB_SRC := $(filter-out $(PLUGIN_SRC) $(SANDBOX_GEN),$(wildcard base/*.c net/*.c oci/*.c sign/*.c runner/*.c flow/*.c))
CLI_SRC := $(wildcard cli/*.c)
UNIT_SRC := $(wildcard tests/unit/*_test.c)
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
ALL_C := $(wildcard base/*.c net/*.c oci/*.c sign/*.c runner/*.c flow/*.c cli/*.c tests/unit/*.c tests/tool/*.c tests/fuzz/*.c \
    tests/vectors/*.c bench/*.c)
ALL_H := $(wildcard *.h */*.h tests/*/*.h)

# make V=1 shows the commands.
Q := $(if $(V),,@)
say = @$(if $(V),:,echo "  $1 $@")
obj = $(patsubst %.c,$(B)/%.o,$1)
BIN := $(B)/bin/waybill
LIB := $(B)/lib/libwaybill.a
PLUGIN_SO := $(PLUGINS:%=$(B)/lib/waybill/%.so)
SONAME := libwaybill.so.$(firstword $(subst ., ,$(VERSION)))
SHARED := $(B)/lib/$(SONAME)
UNIT := $(UNIT_SRC:%.c=$(B)/%)
TOOLS := $(patsubst %.c,$(B)/%,$(wildcard tests/tool/*.c))
FUZZ := $(FUZZ_SRC:%.c=$(B)/%)
MUTANTS := $(B)/tests/fuzz/mutants

.PHONY: all engine demo check check-parts lint format asan fuzz bench interop vectors wasi install uninstall dist clean tests threads
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BIN) $(PLUGIN_SO) $(SHARED)

# The engine is kept outside the tree by the hash of its lock file; build/engine points there.
engine: $(E)/.stamp
$(E)/.stamp: engine/build.sh engine/Cargo.toml engine/Cargo.lock $(wildcard engine/src/*.rs engine/include/*.h)
	@mkdir -p build
	@# asked twice: the second answer is that of engine/ as it is once a build has ended
	@engine/build.sh >/dev/null && out=$$(engine/build.sh) && rm -rf $(E) && ln -s "$$out" $(E) && touch $(E)/.stamp

$(B)/%.o: %.c Makefile | $(E)/.stamp
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/gen/sandbox_filter: $(SANDBOX_GEN) runner/sandbox_layers.h Makefile
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) -I. -D_GNU_SOURCE -std=c17 -O1 $(WARN) $(WERROR) -o $@ $< -lseccomp

$(B)/gen/sandbox_filter.c: $(B)/gen/sandbox_filter
	$(call say,GEN)
	$(Q)$< >$@.bpf
	$(Q){ echo '#include "runner/sandbox_layers.h"'; echo 'const uint8_t sandbox_filter[] = {'; \
	    od -An -v -tu1 -w16 $@.bpf | sed 's/  *\([0-9]*\)/\1,/g'; echo '};'; \
	    echo 'const size_t sandbox_filter_size = sizeof(sandbox_filter);'; } >$@

$(B)/gen/sandbox_filter.o: $(B)/gen/sandbox_filter.c
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(LIB): $(call obj,$(LIB_SRC)) $(B)/gen/sandbox_filter.o
	@mkdir -p $(@D)
	$(call say,AR)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/lib/common.a: $(call obj,$(filter-out base/toml.c,$(wildcard base/*.c)) $(NET_COMMON))
	@mkdir -p $(@D)
	$(call say,AR)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BIN): $(call obj,$(CLI_SRC)) $(LIB) $(E)/.stamp
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(ENGINE_LIBS) $(LIBS)

# What a shared object shows is written in a version script, and all else in it is local. The library shows what its
# public headers, those that waybill.h takes in, declare: names that the archive defines and their text has.
$(B)/gen/plugin.map:
	@mkdir -p $(@D)
	$(Q)echo '{ global: waybill_plugin; local: *; };' >$@

$(B)/gen/library.map: waybill.h $(LIB)
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)nm -g --defined-only --format=posix $(LIB) | sed -n 's/ [A-Z] .*//p' | LC_ALL=C sort -u >$@.defined
	$(Q)$(CC) -I. -std=c17 -MMD -MP -MF $@.d -MT $@ -E -P $< | LC_ALL=C grep -oE '[A-Za-z_][A-Za-z_0-9]*' | \
	    LC_ALL=C sort -u >$@.said
	$(Q){ echo 'WAYBILL_$(subst libwaybill.so.,,$(SONAME)) { global:'; LC_ALL=C comm -12 $@.defined $@.said | sed 's/$$/;/'; \
	    echo 'local: *; };'; } >$@

$(SHARED): $(LIB) $(B)/gen/library.map $(E)/.stamp
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SONAME),--version-script=$(B)/gen/library.map -Wl,-Bsymbolic-functions \
	    -o $@ -Wl,--whole-archive $(LIB) -Wl,--no-whole-archive $(ENGINE_LIBS) $(LIBS)
	$(Q)ln -sf $(SONAME) $(@D)/libwaybill.so

define PLUGIN_RULE
$(B)/lib/waybill/$1.so: $(call obj,$(call plugin_src,$1)) $(B)/lib/common.a $(B)/gen/plugin.map
	@mkdir -p $$(@D)
	$$(call say,LINK)
	$$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) -shared -Wl,--version-script=$(B)/gen/plugin.map -o $$@ \
	    $$(filter %.o %.a,$$^) $(LIBS_$1) -lgcrypt -ljansson
endef
$(foreach p,$(PLUGINS),$(eval $(call PLUGIN_RULE,$p)))

# Unit tests and fuzz targets link the library; tests of cli/ link its objects too, and those of a plugin's files these.
# A fuzz target runs its corpus under gcc by way of driver.c.
$(B)/tests/unit/%_test: $(B)/tests/unit/%_test.o $(LIB)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) -lcmocka $(ENGINE_LIBS) $(LIBS) $(UNIT_LIBS)
$(filter $(B)/tests/unit/cli_%,$(UNIT)): $(filter-out %/main.o,$(call obj,$(CLI_SRC)))
$(filter $(B)/tests/unit/net_%,$(UNIT)): $(call obj,$(call plugin_src,http))
$(filter $(B)/tests/unit/net_%,$(UNIT)): UNIT_LIBS = $(LIBS_http)
$(B)/tests/unit/oci_archive_test $(B)/tests/unit/oci_image_test $(B)/tests/unit/oci_tree_archive_test: $(PLUGIN_SO)
$(B)/tests/unit/net_ssh_test: $(PLUGIN_SO)
# Programs that tests of the program call.
$(B)/tests/tool/%: $(B)/tests/tool/%.o $(LIB)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) -lcmocka $(ENGINE_LIBS) $(LIBS) $(UNIT_LIBS)
CERT_TESTS := $(filter $(B)/tests/unit/sign_cert_% $(B)/tests/unit/sign_keyless_% $(B)/tests/unit/sign_notation_% $(B)/tests/unit/flow_truststore_%,$(UNIT)) \
    $(B)/tests/tool/keyless
$(CERT_TESTS): $(PLUGIN_SO)
$(CERT_TESTS): UNIT_LIBS = $(LIBS_cert)

FUZZ_DRIVER = $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer,$(B)/tests/fuzz/driver.o)
$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(LIB) $(if $(filter fuzz,$(VARIANT)),,$(B)/tests/fuzz/driver.o)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter-out %/driver.o,$(filter %.o,$^)) $(FUZZ_DRIVER) $(LIB) $(ENGINE_LIBS) \
	    $(LIBS) $(FUZZ_LIBS)
$(B)/tests/fuzz/fuzz_archive $(B)/tests/fuzz/fuzz_image: $(call obj,$(call plugin_src,archive))
$(B)/tests/fuzz/fuzz_archive $(B)/tests/fuzz/fuzz_image: FUZZ_LIBS = $(LIBS_archive)
CERT_FUZZ := $(B)/tests/fuzz/fuzz_cert $(B)/tests/fuzz/fuzz_root $(B)/tests/fuzz/fuzz_rekor
$(CERT_FUZZ): $(call obj,$(call plugin_src,cert))
$(CERT_FUZZ): FUZZ_LIBS = $(LIBS_cert)

# Not a target of a fuzzer: it forks, and makes its mutants itself.
$(MUTANTS): $(MUTANTS).o $(LIB)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(ENGINE_LIBS) $(LIBS)

$(B)/tests/vectors/%: $(B)/tests/vectors/%.o $(LIB)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(ENGINE_LIBS) $(LIBS)

$(B)/bench/inprocess: $(B)/bench/inprocess.o $(LIB)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(ENGINE_LIBS) $(LIBS)
$(B)/bench/%: $(B)/bench/%.o
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

-include testdata/guests/rules.mk

# What uses threads, for VARIANT=tsan.
THREADS := base_parallel net_threads net_ssh oci_session net_sftp flow_relay flow_pieces oci_partial
threads: $(PLUGIN_SO) $(THREADS:%=$(B)/tests/unit/%_test)

tests: all $(UNIT) $(TOOLS) $(FUZZ) $(MUTANTS) $(B)/tests/vectors/wycheproof guests

demo:
	@.ci/install build
	@$(MAKE) --no-print-directory all guests
	@examples/demo.sh $(abspath $(BIN)) $(abspath $(GUESTS))

# A folder of public signature vectors, for `make vectors` and `make check`.
VECTORS ?=

# What each part runs and how the counts are made: tests/check.sh.
check:
	@.ci/install build test
	@$(MAKE) --no-print-directory CI=1 tests
	@$(MAKE) --no-print-directory CI=1 VARIANT=asan tests
	@$(MAKE) --no-print-directory CI=1 VARIANT=tsan threads
	@VECTORS=$(VECTORS) WASI_TESTSUITE=$(WASI_TESTSUITE) tests/check.sh

lint:
	@tests/lint/run.sh

format:
	clang-format -i $(ALL_C) $(ALL_H)

asan:
	$(MAKE) VARIANT=asan all

FUZZ_SECONDS ?= 60
MUTANT_COUNT ?= 100000
fuzz: $(MUTANTS) guests
	$(MAKE) VARIANT=fuzz fuzz-run
	tests/fuzz/mutants.sh $(B) $(MUTANT_COUNT)
fuzz-run: $(FUZZ)
	tests/fuzz/run.sh $(B) $(FUZZ_SECONDS)

bench: tests $(B)/bench/inprocess
	bench/run.sh $(abspath $(BIN)) $(abspath $(GUESTS))
	$(B)/bench/inprocess
	WAYBILL=$(abspath $(BIN)) bench/registry.sh
	WAYBILL=$(abspath $(BIN)) GUESTS=$(abspath $(GUESTS)) bench/verify.sh

interop: tests
	@.ci/install interop || echo "waybill: without the packages of the group interop" >&2
	tests/interop/run.sh --install

vectors: $(B)/tests/vectors/wycheproof
	$< $(VECTORS)

WASI_TESTSUITE ?=
wasi: all
	tests/wasi/run.sh $(WASI_TESTSUITE)

# Of the headers those that waybill.h takes in, and itself. A library that is not beside the program's lib/ gets a link to
# the plugins.
PUBLIC_H = $(sort $(filter %.h,$(shell $(CC) -I. -std=c17 -MM waybill.h)))
PC = $(DESTDIR)$(LIBDIR)/pkgconfig/waybill.pc
install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(PLUGINDIR) $(addprefix $(DESTDIR)$(MANDIR)/,man1 man3 man5) $(dir $(PC))
	install -m 755 $(BIN) $(DESTDIR)$(BINDIR)/waybill
	install -m 644 $(PLUGIN_SO) $(DESTDIR)$(PLUGINDIR)
	install -m 644 $(SHARED) $(DESTDIR)$(LIBDIR)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libwaybill.so
	[ -e $(DESTDIR)$(LIBDIR)/waybill ] || ln -sr $(DESTDIR)$(PLUGINDIR) $(DESTDIR)$(LIBDIR)/waybill
	for h in $(PUBLIC_H); do install -D -m 644 $$h $(DESTDIR)$(INCLUDEDIR)/waybill/$$h || exit; done
	printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$(INCLUDEDIR)' '' 'Name: waybill' \
	    'Description: Signed WebAssembly from OCI registries, verified and run' 'Version: $(VERSION)' \
	    'Cflags: -I$${includedir}/waybill' 'Libs: -L$${libdir} -lwaybill' >$(PC)
	install -m 644 $(wildcard man/*.1) $(DESTDIR)$(MANDIR)/man1
	install -m 644 $(wildcard man/*.3) $(DESTDIR)$(MANDIR)/man3
	install -m 644 $(wildcard man/*.5) $(DESTDIR)$(MANDIR)/man5

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/waybill $(addprefix $(DESTDIR)$(PLUGINDIR)/,$(notdir $(PLUGIN_SO))) \
	    $(addprefix $(DESTDIR)$(LIBDIR)/,$(SONAME) libwaybill.so) $(PC) \
	    $(addprefix $(DESTDIR)$(INCLUDEDIR)/waybill/,$(PUBLIC_H)) \
	    $(addprefix $(DESTDIR)$(MANDIR)/man1/,$(notdir $(wildcard man/*.1))) \
	    $(addprefix $(DESTDIR)$(MANDIR)/man3/,$(notdir $(wildcard man/*.3))) \
	    $(addprefix $(DESTDIR)$(MANDIR)/man5/,$(notdir $(wildcard man/*.5)))
	[ ! -L $(DESTDIR)$(LIBDIR)/waybill ] || rm -f $(DESTDIR)$(LIBDIR)/waybill
	-rmdir $(patsubst %/./,%,$(addprefix $(DESTDIR)$(INCLUDEDIR)/waybill/,$(filter-out ./,$(sort $(dir $(PUBLIC_H)))) ./))
	-rmdir $(DESTDIR)$(PLUGINDIR)

dist:
	@mkdir -p build
	git archive --format=tar.gz --prefix=waybill-$(VERSION)/ -o build/dist.tmp HEAD || { rm -f build/dist.tmp; exit 1; }
	@mv build/dist.tmp build/waybill-$(VERSION).tar.gz
	@echo build/waybill-$(VERSION).tar.gz

compile_commands.json: Makefile $(ALL_C)
	@{ echo '['; sep=; for f in $(ALL_C); do \
	    printf '%s{"directory":"%s","file":"%s","command":"%s"}\n' "$$sep" '$(CURDIR)' "$$f" \
	        '$(CC) $(filter-out -MMD -MP,$(CPPFLAGS)) $(CFLAGS) -c '"$$f"; sep=,; done; echo ']'; } > $@

clean:
	rm -rf build compile_commands.json

-include $(shell find $(B) -name '*.d' 2>/dev/null)
