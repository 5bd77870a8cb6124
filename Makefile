# SPDX-License-Identifier: Apache-2.0
#
# The verbs of this repository. `make` alone lists them.

# Undeclared imports are errors, so that Package.swift tells the truth about who uses whom.
FLAGS := --explicit-target-dependency-import-check error
WEIR  := $(CURDIR)/.build/release/weir
# Real programs meet Weir in a network that is not this machine's.
TEST  := swift test --skip-build --disable-xctest $(FLAGS)
# What is tested on a simulated Mac.
MACOS := AppleIntakeTests|SimulationTests|MacControlTests|WeirExtensionTests
# Real signed files, each checked by its digest.
VECTORS := $(CURDIR)/.build/codesign-vectors
ALONE := .ci/own-network env WEIR_BINARY=$(WEIR) WEIR_CODESIGN_VECTORS=$(VECTORS)

.DEFAULT_GOAL := help
.PHONY: help deps deps-build deps-unit deps-demo deps-test vectors build demo demo-macos test unit interop lint bench fuzz sanitize soak soak-macos clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

deps: deps-test ## install what building, demo and tests need (Debian, Ubuntu)

deps-build deps-unit deps-demo deps-test:
	@.ci/install $(@:deps-%=%)

build: deps-build ## build the program: .build/release/weir
	@echo "Building weir for release"
	swift build -c release --product weir $(FLAGS)

demo: deps-demo build ## show what Weir does to real uploads, and check every claim
	@echo "Running the demonstration"
	@WEIR_BINARY=$(WEIR) examples/demo/run.sh

demo-macos: deps-demo ## show the macOS extension to real programs, on a simulated Mac
	@echo "Building the simulated Mac and weir for debug"
	swift build --product DemoMac $(FLAGS)
	swift build --product weir $(FLAGS)
	@echo "Running the demonstration"
	@DEMO_MAC_BINARY=$(CURDIR)/.build/debug/DemoMac WEIR_BINARY=$(CURDIR)/.build/debug/weir examples/demo-macos/run.sh

test: unit interop ## run all tests

vectors: deps-unit # bring the signed macOS files that the tests read
	@Tests/Vectors/codesign/fetch.sh $(VECTORS)

unit: vectors ## run the tests of each room
	@echo "Building all tests for debug"
	swift build --build-tests $(FLAGS)
	@echo "Running the tests of each room"
	WEIR_CODESIGN_VECTORS=$(VECTORS) $(TEST) --skip InteropTests --skip '$(MACOS)'
	@echo "Running the tests of the macOS side, which open descriptors that a forked command of the others would see"
	$(TEST) --filter '$(MACOS)'

interop: deps-test vectors build ## run real programs (curl, nginx, git, ssh, ...) through Weir
	@echo "Building all tests for debug"
	swift build --build-tests $(FLAGS)
	@echo "Running real programs through weir, in a network of their own"
	$(ALONE) $(TEST) --filter InteropTests

lint: ## check format, names, lengths and who imports whom
	@.ci/lint-selftest
	@.ci/lint

soak: deps-test build ## carry bodies of 1 GiB and watch the memory
	@echo "Building all tests for debug"
	swift build --build-tests $(FLAGS)
	@echo "Carrying bodies of 1 GiB in both directions; this takes some minutes"
	$(ALONE) WEIR_BODY_MIB=1024 $(TEST) --filter InteropTests.Interop/LargeBodies

soak-macos: deps-unit ## carry 100,000 flows through the macOS provider on a simulated Mac, and watch memory and descriptors
	@echo "Building all tests for debug"
	swift build --build-tests $(FLAGS)
	@echo "Carrying 100,000 flows; this takes some minutes"
	WEIR_SOAK_ROUNDS=784 $(TEST) --filter AppleIntakeTests.LifeLongTests

sanitize: vectors ## run the tests of each room under the address and the thread sanitizer
	@echo "Running the tests of each room under the address sanitizer"
	WEIR_CODESIGN_VECTORS=$(VECTORS) swift test --scratch-path .build-address --sanitize address --disable-xctest --skip InteropTests $(FLAGS)
	@echo "Running the tests of each room under the thread sanitizer"
	WEIR_CODESIGN_VECTORS=$(VECTORS) swift test --scratch-path .build-thread --sanitize thread --disable-xctest --skip InteropTests $(FLAGS)

fuzz: ## feed each boundary with broken input (Fuzz/run)
	@test -x Fuzz/run || { echo "fuzz: there are no fuzz targets yet (Fuzz/run is missing)" >&2; exit 1; }
	@echo "Fuzzing every boundary"
	Fuzz/run

bench: build vectors ## count what Weir costs (Benchmarks/run)
	@test -x Benchmarks/run || { echo "bench: there are no benchmarks yet (Benchmarks/run is missing)" >&2; exit 1; }
	@echo "Counting"
	WEIR_BINARY=$(WEIR) Benchmarks/run

clean: ## remove everything that was built
	@echo "Removing what was built"
	rm -rf .build .build-* Benchmarks/IdentityBench/.build Benchmarks/PolicyBench/.build
