#!/usr/bin/env bash
# Sees to what a make target needs on Debian or Ubuntu:   Demo/setup.sh build|demo|test|bench …
# Packages that are missing come by apt, each one named before; a Swift that is missing or too old is left to you, with the one command for it.
set -euo pipefail

swift_minimum=6.3
libraries=(libpq-dev librdkafka-dev libjansson-dev libfyaml-dev libtomlplusplus-dev libmicrohttpd-dev)
# What the toolchain itself links to, by names that all releases share; asked for only where it does not start.
toolchain_libraries=(libcurl4-openssl-dev libncurses-dev libsqlite3-dev libxml2-dev)

say() { printf '%s\n' "$*" >&2; }

have_package() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
have_server() { [ -n "${PG_BIN:-}" ] || command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

swiftly_command() {
    local archive
    archive="swiftly-$(uname -m).tar.gz"
    command -v curl >/dev/null || printf '%s' 'apt-get install -y curl ca-certificates gnupg && '
    printf '%s' "curl -O https://download.swift.org/swiftly/linux/$archive && tar zxf $archive && ./swiftly init --assume-yes --quiet-shell-followup"
    # shellcheck disable=SC2016 # for the reader's shell
    printf '%s\n' ' && . "${SWIFTLY_HOME_DIR:-$HOME/.local/share/swiftly}/env.sh" && hash -r'
}

need_swift() {
    if ! command -v swift >/dev/null; then
        say "Swift $swift_minimum or newer is needed, and there is none on the PATH. This installs it (swift.org):"
        say "  $(swiftly_command)"
        exit 1
    fi
}

need_new_swift() {
    local version
    version="$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)"
    if [ -z "$version" ]; then
        say "$(command -v swift) does not start: $(swift --version 2>&1 | head -n 1)"
        exit 1
    fi
    if [ "$(printf '%s\n' "$swift_minimum" "$version" | sort -V | head -n 1)" != "$swift_minimum" ]; then
        say "Swift $swift_minimum or newer is needed, and $(command -v swift) is $version. This installs a new one (swift.org):"
        say "  $(swiftly_command)"
        exit 1
    fi
}

missing=()
want() { have_package "$1" || missing+=("$1"); }

want_for_build() {
    local package
    for package in "${libraries[@]}"; do want "$package"; done
    command -v pkg-config >/dev/null || missing+=(pkg-config)
    # Headers, start-up files and libstdc++ that the toolchain's clang builds against.
    command -v g++ >/dev/null || missing+=(g++)
    if ! swift build --version >/dev/null 2>&1; then
        for package in "${toolchain_libraries[@]}"; do want "$package"; done
    fi
}

want_for_test() {
    have_server || missing+=(postgresql)
    python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
    command -v cc >/dev/null || missing+=(gcc)
}

install_missing() {
    [ ${#missing[@]} -gt 0 ] || return 0
    local as_root=() install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends)
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            say "Packages are missing and there is no sudo; as root, run: apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
            exit 1
        fi
        as_root=(sudo)
    fi
    say "These packages are missing and are installed now: ${missing[*]}"
    local log
    log="$(mktemp)"
    if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" "${install[@]}" "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        say "apt could not install them; the lines above say why. By hand: apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
        exit 1
    fi
    rm -f "$log"
}

need_swift
if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
    for purpose in "$@"; do
        case "$purpose" in
        build) want_for_build ;;
        demo) [ -n "${PG:-}" ] || have_server || missing+=(postgresql) ;;
        test | bench) want_for_test ;;
        *)
            say "Demo/setup.sh: $purpose is none of build, demo, test, bench"
            exit 64
            ;;
        esac
    done
    # A package that two purposes want is named once.
    mapfile -t missing < <(printf '%s\n' "${missing[@]+"${missing[@]}"}" | sed '/^$/d' | sort -u)
    install_missing
else
    say "No apt here: the libraries of README.md, section \"What it needs\", have to be there already."
fi
need_new_swift
