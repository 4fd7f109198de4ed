#!/usr/bin/env bash
# Installs what is missing for a purpose, once. Run again it only looks.
#
#   scripts/setup.sh [build|demo|test|tls|asan|fuzz|bench|instructions|lint|windows|windows-debian|wine|wine64|wine32|all]...
#                                                                                                 (default: all)
#
# Assumed, and only checked: Rust's stable toolchain, a C compiler, make, python3.
set -euo pipefail
source "$(dirname "$0")/common.sh"

packages=() # Debian packages to install
wanted=()   # of those that are only left out where they cannot be installed
advice=()   # what a person has to do

has() { command -v "$1" > /dev/null 2>&1; }
# What a look in the path cannot tell: headers and libraries.
has_pc() { has pkg-config && pkg-config --exists "$1"; }

# need PACKAGE CHECK...: remember the package unless the check succeeds.
need() {
  local package=$1
  shift
  "$@" || packages+=("$package")
}

need_rust() {
  has cargo || advice+=("Rust's stable toolchain: install rustup, then 'rustup default stable'")
}
need_cc() {
  has cc || advice+=("a C compiler: 'apt-get install gcc libc6-dev', or the system's own")
}
need_cmake() {
  need cmake has cmake
  need g++ has c++
  need pkg-config has pkg-config
}
need_loops() { # the examples with libuv's and GLib's loops
  need libuv1-dev has_pc libuv
  need libglib2.0-dev has_pc glib-2.0
}
need_boost() { # the peer written with Boost.Beast
  need libboost-dev eval "echo '#include <boost/beast/version.hpp>' | c++ -E -x c++ - > /dev/null 2>&1"
}
need_python3() {
  has python3 || { advice+=("python3, 3.10 or later"); return 1; }
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || advice+=("python3 is older than 3.10")
}
need_python() {
  need_python3 || return 0
  need python3-venv eval "python3 -c 'import venv, ensurepip' 2> /dev/null"
}
need_node() {
  need nodejs has node
  need npm has npm
}
has_server() { has "$1" || [[ -x /usr/sbin/$1 ]]; } # not in everybody's path
need_servers() { # what terminates TLS and what proxies, for tls-tests
  need nginx-light has_server nginx
  need haproxy has_server haproxy
  need tinyproxy has_server tinyproxy
  need microsocks has_server microsocks
  need openssl has openssl
}
want() { # like need, but where it cannot be had it is only missing
  local package=$1
  shift
  "$@" || wanted+=("$package")
}
has_header() { echo "#include <$1>" | c++ -E -x c++ - > /dev/null 2>&1; }
need_bench() {
  need g++ has c++
  need_python
  need strace has strace
  want libboost-dev has_header boost/beast/version.hpp
  want libboost-system-dev test -e "/usr/lib/$(cc -dumpmachine)/libboost_system.so"
  want libwebsockets-dev has_pc libwebsockets
  want libwebsocketpp-dev has_header websocketpp/client.hpp
  need pkg-config has pkg-config
  need libssl-dev has_pc openssl
  need openssl has openssl
}
need_instructions() {
  need_python3 || true
  need valgrind has valgrind
}
need_mingw() {
  need gcc-mingw-w64-x86-64 has x86_64-w64-mingw32-gcc
  need gcc-mingw-w64-i686 has i686-w64-mingw32-gcc
}
need_debian_rust() { # Rust with its library's source, to build that for Windows
  need rustc-web test -x /usr/bin/rustc
  need cargo-web test -x /usr/bin/cargo
  need rust-web-src test -d /usr/lib/rustlib/src/rust/library
}
need_wine() {
  need g++-mingw-w64-x86-64 has x86_64-w64-mingw32-g++
  need g++-mingw-w64-i686 has i686-w64-mingw32-g++
  need wine64 test -x /usr/lib/wine/wine64
  # Without it a program in some thousands finds the place taken at which Windows has its clock, and does not start.
  need wine64-preloader test -x /usr/lib/wine/wine64-preloader
  need debootstrap has_server debootstrap
  need xvfb has Xvfb
  need xdotool has xdotool
  need imagemagick has import
}
need_clippy() {
  cargo clippy --version > /dev/null 2>&1 && cargo fmt --version > /dev/null 2>&1 ||
    advice+=("clippy and rustfmt: 'rustup component add clippy rustfmt'")
}
need_asan() {
  need binutils has nm
  printf 'int main(void) { return 0; }' | cc -fsanitize=address -x c - -o "$BUILD/asan-probe" 2> /dev/null ||
    advice+=("a C compiler with AddressSanitizer (Debian's gcc has it in libgcc-N-dev)")
  rm -f "$BUILD/asan-probe"
}

venv=false node=false wine64=false wine32=false bench=false
[[ $# -gt 0 ]] || set -- all
for purpose; do
  need_rust
  need_cc
  case $purpose in
    build | demo) ;;
    lint) need_clippy ;;
    fuzz) need g++ has c++ ;; # for libFuzzer itself
    bench) need_bench; bench=true ;;
    instructions) need_instructions ;;
    windows) need_mingw ;;
    windows-debian) need_mingw; need_debian_rust ;;
    wine) need_cmake; need_mingw; need_wine; need_python; venv=true wine64=true wine32=true ;;
    wine64) need_cmake; need_mingw; need_wine; need_python; venv=true wine64=true ;;
    wine32) need debootstrap has_server debootstrap; wine32=true ;; # what wine64 lacks of wine
    asan) need_cmake; need_loops; need_asan ;;
    test) need_cmake; need_loops; need_python; need_node; need_boost; need_servers; need binutils has nm; venv=true node=true ;;
    tls) need_python; need_servers; venv=true ;;
    all) need_cmake; need_loops; need_python; need_node; need_boost; need_servers; need_bench; need_instructions; need_clippy; need_asan; venv=true node=true bench=true ;;
    *) fail "unknown purpose '$purpose' (build, demo, test, tls, asan, fuzz, bench, instructions, lint, windows, windows-debian, wine, wine64, wine32, all)" ;;
  esac
done

install_packages() {
  local root=() log=$BUILD/setup-apt.log
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300)
  if [[ $(id -u) != 0 ]]; then
    has sudo || return 1
    root=(sudo)
    [[ -z ${CI:-} ]] || root+=(-n)
  fi
  echo "setup: installing ${packages[*]}"
  # The tests start the servers themselves: the services of the packages that are new here stay off, now and at the
  # next start of the system.
  local policy=/usr/sbin/policy-rc.d policy_is_ours=false
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" > /dev/null && "${root[@]}" chmod 755 "$policy"
    policy_is_ours=true
  fi
  local status=0
  install_with_apt || status=$?
  ! $policy_is_ours || "${root[@]}" rm -f "$policy"
  local package
  for package in "${packages[@]}"; do
    case $package in
      nginx-light | haproxy | tinyproxy | microsocks)
        ! has systemctl || "${root[@]}" systemctl disable -q "${package%-light}.service" >> "$log" 2>&1 || true ;;
    esac
  done
  return "$status"
}

install_with_apt() { # with install_packages' root, apt and log
  # The lists may never have been fetched, or be too old: fetch them only when an install fails without.
  "${root[@]}" "${apt[@]}" install --no-install-recommends "${packages[@]}" > "$log" 2>&1 ||
    { "${root[@]}" "${apt[@]}" update >> "$log" 2>&1 &&
      "${root[@]}" "${apt[@]}" install --no-install-recommends "${packages[@]}" >> "$log" 2>&1; } ||
    { tail -5 "$log" >&2; return 1; }
}

if ((${#packages[@]})); then
  mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
  if ! has apt-get; then
    advice+=("these programs and libraries, by their Debian names: ${packages[*]}")
  elif ! install_packages; then
    advice+=("Debian packages, as root: apt-get update && apt-get install ${packages[*]}")
  fi
fi
if ((${#wanted[@]})); then
  packages=("${wanted[@]}")
  { has apt-get && install_packages; } || echo "setup: without ${wanted[*]}: the benchmarks leave out what needs them" >&2
fi
if ((${#advice[@]})); then
  echo "setup: missing, please install:" >&2
  printf '  - %s\n' "${advice[@]}" >&2
  exit 1
fi

# Both caches hold a copy of the file that they were made from: the same file, nothing to do.
if $venv && ! cmp -s interop/requirements.txt .cache/venv/made-from; then
  echo "setup: Python packages into .cache/venv"
  rm -rf .cache/venv
  python3 -m venv .cache/venv
  .cache/venv/bin/pip install -q --disable-pip-version-check --only-binary :all: -r interop/requirements.txt ||
    fail "pip could not install what interop/requirements.txt names (is its registry reachable?)"
  cp interop/requirements.txt .cache/venv/made-from
fi
# A package that is not there for this Python is only left out.
if $bench && ! cmp -s bench/requirements.txt .cache/bench-venv/made-from; then
  echo "setup: Python packages for the benchmarks into .cache/bench-venv"
  rm -rf .cache/bench-venv
  python3 -m venv .cache/bench-venv
  while read -r package; do
    .cache/bench-venv/bin/pip install -q --disable-pip-version-check --only-binary :all: "$package" ||
      echo "setup: pip could not install $package: the benchmarks leave it out" >&2
  done < bench/requirements.txt
  cp bench/requirements.txt .cache/bench-venv/made-from
fi
if $node && ! cmp -s interop/package-lock.json .cache/node/made-from; then
  echo "setup: Node packages into .cache/node"
  rm -rf .cache/node
  mkdir -p .cache/node
  cp interop/package.json interop/package-lock.json .cache/node/
  (cd .cache/node && npm ci --ignore-scripts --no-audit --no-fund --silent) ||
    fail "npm could not install what interop/package-lock.json names (is its registry reachable?)"
  cp interop/package-lock.json .cache/node/made-from
fi

# Wine's own prefixes are made by its first start (wine.sh).

# Rust's library imports from a DLL that Wine 8 does not have and Windows has since 2009 (documented as ProcessPrng since
# 2022): what it does there is what another function does everywhere.
if $wine64; then
  for width in 64:x86_64 32:i686; do
    folder=.cache/wine-dlls/${width%:*}
    [[ ! -e $folder/bcryptprimitives.dll ]] || continue
    mkdir -p "$folder"
    printf 'LIBRARY bcryptprimitives.dll\nEXPORTS\n  ProcessPrng = advapi32.SystemFunction036\n' > "$folder/made.def"
    echo > "$folder/made.c"
    "${width#*:}-w64-mingw32-gcc" -shared -nostdlib -Wl,-e,0 "$folder/made.c" "$folder/made.def" -o "$folder/bcryptprimitives.dll"
  done
fi

# A system of 32 bits beside this one, in a folder, for programs of that width. Made anew where it was made of something
# else.
if $wine32; then
  contents="$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release) wine32,wine32-preloader"
  if [[ $(cat .cache/wine32/made 2> /dev/null) != "$contents" ]]; then
    echo "setup: Wine for 32 bits into .cache/wine32"
    root=()
    [[ $(id -u) = 0 ]] || root=(sudo)
    "${root[@]}" rm -rf --one-file-system .cache/wine32
    mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/*.sources 2> /dev/null | head -1)
    [[ -n $mirror ]] || mirror=$(awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^http/) { print $i; exit } }' /etc/apt/sources.list)
    "${root[@]}" "$(command -v debootstrap || echo /usr/sbin/debootstrap)" --arch=i386 --variant=minbase \
      --include="${contents#* }" "${contents% *}" .cache/wine32 "$mirror" > "$BUILD/debootstrap.log" 2>&1 ||
      { tail -5 "$BUILD/debootstrap.log" >&2; fail "Wine for 32 bits could not be installed (build/debootstrap.log)"; }
    "${root[@]}" rm -rf --one-file-system .cache/wine32/var/cache/apt .cache/wine32/var/lib/apt/lists .cache/wine32/usr/share/doc
    "${root[@]}" touch .cache/wine32/etc/hosts # where wine.sh mounts this system's
    echo "$contents" | "${root[@]}" tee .cache/wine32/made > /dev/null
  fi
fi
