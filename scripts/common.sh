# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by scripts/quickstart and scripts/test: messages, and installing Debian packages.

PROJECT=emulator
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD_DIR:-$TOP/build}
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/$PROJECT

say() { printf '==> %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# packages_for USE... : the names of the packages of these uses
packages_for() {
    local use
    for use; do
        awk -v use="$use" '!/^#/ && $2 == use { print $1 }' "$TOP/scripts/packages.txt"
    done
}

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

missing_packages() {
    local p
    for p; do
        installed "$p" || echo "$p"
    done
}

# as_root COMMAND... : runs it as root, directly or by sudo
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

can_be_root() {
    [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }
}

# install_packages USE... : installs what is missing; says what it cannot, and returns 1 then
install_packages() {
    local missing
    if ! command -v dpkg-query >/dev/null; then
        say "this is no Debian system; needed are the equivalents of: $(packages_for "$@" | tr '\n' ' ')"
        return 1
    fi
    missing=$(missing_packages $(packages_for "$@"))
    if [ -z "$missing" ]; then
        return 0
    fi
    say "installing packages:" $missing
    if ! can_be_root; then
        say "not root, and no sudo: please install them, or go on without"
        return 1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update >"$LOG" 2>&1 || true
    if as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing \
            >>"$LOG" 2>&1 </dev/null; then
        return 0
    fi
    # one that cannot be had must not keep the others away
    local p failed=
    for p in $missing; do
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$p" \
            >>"$LOG" 2>&1 </dev/null || failed="$failed $p"
    done
    if [ -n "$failed" ]; then
        say "could not be installed:$failed"
        tail -n 5 "$LOG"
        return 1
    fi
}

# download_package NAME FOLDER : unpacks a package there without installing it
download_package() {
    local name=$1 folder=$2 tmp status=0
    tmp=$(mktemp -d)
    chmod 755 "$tmp"
    (cd "$tmp" && apt-get -q download "$name") >"$LOG" 2>&1 ||
        { as_root apt-get -q update >>"$LOG" 2>&1; (cd "$tmp" && apt-get -q download "$name") >>"$LOG" 2>&1; } ||
        status=1
    if [ $status = 0 ]; then
        mkdir -p "$folder.part" && dpkg-deb -x "$tmp"/*.deb "$folder.part" && mv "$folder.part" "$folder" || status=1
    fi
    rm -rf "$tmp" "$folder.part"
    return $status
}
