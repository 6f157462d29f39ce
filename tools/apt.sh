# shellcheck shell=bash
# Sourced by setup.sh: installs Debian packages, as root or through sudo without a password.

apt_log=build/apt.log

# Prints what stands before a command that needs root; fails if there is no way.
root_prefix() {
    if ((EUID == 0)); then
        return
    elif sudo --non-interactive true 2>/dev/null; then
        echo 'sudo --non-interactive'
    else
        return 1
    fi
}

explain_missing() {
    printf 'Missing: %s. %s Install by hand:\n    %s\n' "$1" "$2" \
        "sudo apt-get update && sudo apt-get install --no-install-recommends $1" >&2
    return 1
}

# A policy-rc.d that says 101 keeps packages from starting their services: the tests start a
# private broker, and nobody asked for one on the machine. An existing policy is left alone.
policy=/usr/sbin/policy-rc.d

apt_install() {
    local as_root status=0
    command -v apt-get >/dev/null ||
        explain_missing "$*" 'This machine has no apt-get; the names are those of Debian.' || return
    as_root=$(root_prefix) ||
        explain_missing "$*" 'This needs root, or sudo without a password.' || return

    printf 'Installing %s (half a minute or so; log: %s) …\n' "$*" "$apt_log" >&2
    mkdir -p "$(dirname "$apt_log")"
    forbid_services
    try_install "$@" >"$apt_log" 2>&1 || update_and_install "$@" >>"$apt_log" 2>&1 || status=$?
    allow_services
    ((status == 0)) || { tail -n 15 "$apt_log" >&2; explain_missing "$*" 'apt-get failed.'; }
}

try_install() {
    # shellcheck disable=SC2086  # the prefix is empty or two words
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
}

# The package lists may be absent (a fresh container) or too old.
update_and_install() {
    $as_root apt-get update && try_install "$@"
}

forbid_services() {
    forbidden_by_us=
    [[ -e $policy ]] && return
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
    forbidden_by_us=1
    trap allow_services EXIT
}

allow_services() {
    [[ -z $forbidden_by_us ]] || $as_root rm -f "$policy"
    forbidden_by_us=
}
