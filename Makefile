# make demo: see it work. make test: everything this machine can test. make help: the rest.

SHELL := /bin/bash
# A toolchain that swiftly or a tarball has put where the PATH does not look.
export PATH := $(PATH):$(HOME)/.local/share/swiftly/bin:/opt/swift/usr/bin

BUILD ?= .build
RELEASE := $(BUILD)/release

.PHONY: help build demo test bench clean

help:
	@echo 'make demo    a small shop in PostgreSQL, and each of its changes as it arrives in Kafka; Ctrl-C ends it'
	@echo '             DEMO_SECONDS=20             ends by itself'
	@echo '             PG=postgresql://… KAFKA=host:9092   with your own servers; what it makes there it removes'
	@echo 'make build   the release: $(RELEASE)/cdc-host and its plugins'
	@echo 'make test    every tier that this machine can run, and which it cannot and why'
	@echo 'make bench   speed and size beside pg_recvlogical'
	@echo 'make clean   removes what was built'
	@echo
	@echo 'Missing Debian packages are installed by apt (named first; by sudo when you are not root).'

build:
	@Demo/setup.sh build
	swift build -c release --scratch-path $(BUILD)

demo:
	@Demo/setup.sh build demo
	@swift build -c release --scratch-path $(BUILD)
	@$(RELEASE)/shop-demo --plugins plugins.d

test:
	@Demo/setup.sh build test
	@BUILD=$(BUILD) Tests/run

bench:
	@Demo/setup.sh build bench
	swift build -c release --scratch-path $(BUILD)
	@CDC_BIN=$(RELEASE) Benchmarks/run

clean:
	rm -rf $(BUILD)
	$(MAKE) -C examples/plugins/c clean
