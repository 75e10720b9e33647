# What can be done with this repository; `make` lists it. Every target sees to its own set-up: internal/setup.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

include internal/setup/versions.env

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS ?=
FUZZTIME ?= 30s

# How many end-to-end tests run at a time: on two cores more than one make each other late.
ABREAST ?= 1

# The environment in which Go finds FFmpeg; see the script.
ENV := environment="$$(internal/setup/env.sh)" && eval "$$environment" &&

# The rooms that need cgo and FFmpeg, as internal/archtest has them, and the one that runs Node's own tests, which would
# take minutes under the race detector; those that look at the whole from outside; and all others, which run under it.
CGO_ROOMS := /(transcode/libav|transcode/worker|cmd|jsapi/program)(/|$$)
ENDS := /internal/(archtest|e2e|bench)(/|$$)
PURE = $$(go list ./... | grep -vE '$(CGO_ROOMS)|$(ENDS)')
CGO = $$(go list ./... | grep -E '$(CGO_ROOMS)')

.PHONY: help
help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## start the demo: a test camera, published, coded and playing in your browser
	exec bin/millrace demo

.PHONY: setup setup-test setup-lint setup-bench
setup: ## install what building needs (as root), or name what is missing
	@internal/setup/setup.sh build
setup-test setup-lint setup-bench: setup-%:
	@internal/setup/setup.sh build $*

.PHONY: build
build: ui builtins ## bin/millrace, with the console, the player and the scripts' modules inside
	$(ENV) go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS) -X main.version=$(VERSION)' -o bin/millrace ./cmd/millrace

# --- the console and the player: built again only when their sources changed ---

UI := web/ui
UI_SOURCES := $(shell find $(UI) \( -name node_modules -o -name dist \) -prune -o -type f ! -name '*.go' -print)

.PHONY: ui
ui: setup $(UI)/dist/.built ## the console and the player page, as files that Go embeds

$(UI)/node_modules/.package-lock.json: $(UI)/package.json $(UI)/package-lock.json
	$(ENV) cd $(UI) && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json

$(UI)/dist/.built: $(UI)/node_modules/.package-lock.json $(UI_SOURCES)
	$(ENV) cd $(UI) && npm run --silent build && touch dist/.built

# --- players that are not ours, for the tests ---

PLAYERS := testmedia/browser/players

.PHONY: players
players: setup $(PLAYERS)/node_modules/.package-lock.json

$(PLAYERS)/node_modules/.package-lock.json: $(PLAYERS)/package.json $(PLAYERS)/package-lock.json
	$(ENV) cd $(PLAYERS) && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json

# --- the modules that scripts find without installing anything ---

BUILTIN := jsapi/builtin
BUILTIN_SOURCES := $(shell find $(BUILTIN)/src -type f) $(BUILTIN)/modules.json $(BUILTIN)/build.mjs

.PHONY: builtins
builtins: setup $(BUILTIN)/dist/builtin.js ## Node's modules and millrace, as a script that Go embeds

$(BUILTIN)/node_modules/.package-lock.json: $(BUILTIN)/package.json $(BUILTIN)/package-lock.json
	$(ENV) cd $(BUILTIN) && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json

$(BUILTIN)/dist/builtin.js: $(BUILTIN)/node_modules/.package-lock.json $(BUILTIN_SOURCES)
	$(ENV) cd $(BUILTIN) && npm run --silent build

# --- is it right ---

.PHONY: test
test: unit ## all of unit, and end to end with real players; what fails is run once more, alone
	$(ENV) internal/setup/twice.sh go test -timeout 40m -count 1 -p 1 -parallel $(ABREAST) ./internal/archtest/... ./internal/e2e/...

.PHONY: unit
unit: setup-test ui builtins players ## vet and unit tests, the pure rooms under -race
	$(ENV) cd $(UI) && npm test --silent
	$(ENV) go vet -tags soak ./...
	$(ENV) internal/setup/twice.sh go test -race -timeout 10m $(PURE)
	$(ENV) internal/setup/twice.sh go test -timeout 10m $(CGO)

.PHONY: quick
quick: lint unit ## what every commit passes in minutes: lint, unit, and the main job in a browser, with kills
	$(ENV) go test -timeout 5m -count 1 ./internal/archtest/...
	$(ENV) internal/setup/twice.sh go test -timeout 5m -count 1 -run '^TestBrowser$$/^(plays|recovers)$$' ./internal/e2e

.PHONY: soak
soak: setup-test ui builtins players ## what takes longer than a test run may: hours of play, a thousand publishers
	$(ENV) go test -tags soak -run '^TestSoak' -timeout 12h -count 1 -v ./packager ./internal/e2e/...

.PHONY: fuzz
fuzz: setup ui builtins ## every fuzz target for FUZZTIME (30s)
	$(ENV) grep -rEo --include='*_test.go' --exclude-dir=node_modules '^func Fuzz[A-Za-z0-9_]+' . | sort | \
	while IFS=: read -r file target; do \
		go test -run '^$$' -fuzz "^$${target#func }\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")"; \
	done

.PHONY: bench
bench: setup-bench ui builtins ## Go's benchmarks, then the tables beside ffmpeg, nginx and MediaMTX (MEDIAMTX= names its binary)
	$(ENV) go test -run '^$$' -bench . -benchmem -timeout 30m $(PURE) $(CGO)
	$(ENV) go run -buildvcs=false ./internal/bench

# --- is it tidy ---

LINTER := bin/tools/golangci-lint-$(GOLANGCI_LINT_VERSION)/golangci-lint
GOFUMPT := bin/tools/gofumpt-$(GOFUMPT_VERSION)/gofumpt

# A linter is its own program: none of our flags, and no cgo, which it does not need.
INSTALL = GOBIN=$(CURDIR)/$(@D) GOFLAGS=-buildvcs=false CGO_ENABLED=0 go install
$(LINTER):
	$(ENV) $(INSTALL) github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
$(GOFUMPT):
	$(ENV) $(INSTALL) mvdan.cc/gofumpt@$(GOFUMPT_VERSION)

.PHONY: lint
lint: setup-lint ui builtins $(LINTER) ## golangci-lint over the Go code, shellcheck over the scripts
	$(ENV) $(LINTER) run --timeout 10m ./...
	shellcheck -ax .ci/run internal/setup/{setup,env,ffmpeg-build,prove-image,twice}.sh

.PHONY: fmt
fmt: setup $(GOFUMPT) ## format the Go code
	$(ENV) git ls-files -z '*.go' | xargs -0 $(GOFUMPT) -l -w

# --- the container image ---

.PHONY: image
image: ## the container image millrace:VERSION, by docker or DOCKER=podman
	$${DOCKER:-docker} build --build-arg VERSION=$(VERSION) -t millrace:$(VERSION) .

.PHONY: image-proof
image-proof: ## as root: run the Dockerfile's steps in a bare Debian root, without a container engine
	internal/setup/prove-image.sh

.PHONY: clean
clean: ## remove what was built here (the FFmpeg in the cache folder stays)
	rm -rf bin $(UI)/dist $(UI)/node_modules $(BUILTIN)/dist $(BUILTIN)/node_modules
