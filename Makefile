# One script per task, in scripts/; each installs what it needs and can be run alone.

PREFIX  ?= /usr/local
DESTDIR ?=

.PHONY: all build header demo test interop tls autobahn asan fuzz model bench microbench instructions windows test-windows dist install fmt lint clean

all: build

build:          ## libwdsocket.so and libwdsocket.a in target/release
	scripts/build.sh

header: build   ## include/wdsocket.h: the build writes it from the Rust source

demo:           ## the documentation's two examples against a local echo server
	scripts/demo.sh

test:           ## everything but the sanitizer and the models
	scripts/test.sh

interop:        ## against Python's websockets, Node's ws and Boost.Beast; MESSAGES=10000 for more
	scripts/interop.sh peers

tls:            ## TLS and proxies: bad certificates, odd records, nginx, HAProxy, tinyproxy, microsocks; ONLY="part of a promise"
	scripts/tls.sh

autobahn:       ## all Autobahn cases, into docs/conformance.md; AUTOBAHN="--include 12.* ..." chooses
	scripts/interop.sh autobahn-full

asan:           ## the C suite under AddressSanitizer and LeakSanitizer
	scripts/asan.sh

fuzz:           ## the fuzz targets, FUZZ_SECONDS=20 each
	scripts/fuzz.sh

model:          ## the concurrency models
	scripts/model.sh

windows:        ## the DLLs for Windows, 64 and 32 bits, into build/windows
	scripts/windows.sh

test-windows:   ## the C tests on them, with Wine
	scripts/test-windows.sh

dist:           ## the release archives and their checksums, into build/dist
	scripts/dist.sh

bench:          ## against raw TCP and other libraries; BENCH="--quick --only echo" (bench/run --help)
	bench/run $(BENCH)

microbench:     ## how long the hot parts take; MICROBENCH="encode --sample-count 1000" chooses
	scripts/microbench.sh $(MICROBENCH)

instructions:   ## the instructions of each hot part, compared with bench/instructions.json
	scripts/instructions.sh

install:        ## PREFIX and DESTDIR as usual; after make
	PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install.sh

fmt:
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml
	cargo fmt --manifest-path bench/micro/Cargo.toml

lint:
	scripts/setup.sh lint
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo fmt --manifest-path bench/micro/Cargo.toml --check
	cargo clippy --workspace --all-targets -- -D warnings

clean:          ## keeps .cache, what setup.sh downloaded
	cargo clean
	rm -rf build
