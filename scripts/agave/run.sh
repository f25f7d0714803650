#!/usr/bin/env bash
# Starts a real Agave validator for one machine and runs a command beside it, to check against it what the local chain does.
#
#   scripts/agave/run.sh [--rpc-port PORT] [--program ADDRESS:FILE]... [-- COMMAND...]
#
# The first run builds it: about 25 minutes on two cores, and some 10 GB below scripts/agave/target. Later runs
# start in seconds. Validator and command have a network of their own with nothing but loopback in it, because the
# validator's RPC would listen on every address of the machine. Without a command it runs until Ctrl-C, and its URLs
# are reached from that network only: `nsenter --user --net --target PID`. Nothing of its ledger is kept.
set -euo pipefail

options=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  options+=("$1")
  shift
done
[ $# -eq 0 ] || shift

if [ -z "${IONET_AGAVE_INSIDE:-}" ]; then
  pushd "$(dirname "$0")" >/dev/null
  # RocksDB's bindings are generated with libclang. Without one on this machine, the one of PyPI does.
  if [ -z "${LIBCLANG_PATH:-}" ] && ! ldconfig -p 2>/dev/null | grep 'libclang[-.]' >/dev/null; then
    venv=target/libclang
    if [ ! -x "$venv/bin/python" ]; then
      python3 -m venv "$venv"
      "$venv/bin/pip" install --quiet libclang
    fi
    LIBCLANG_PATH=$("$venv/bin/python" -c 'import clang, os; print(os.path.join(os.path.dirname(clang.__file__), "native"))')
    export LIBCLANG_PATH
    # The generator links to it and looks for it by its own name, which that package leaves out.
    own_name=$(readelf -d "$LIBCLANG_PATH/libclang.so" | sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p')
    ln -sf libclang.so "$LIBCLANG_PATH/$own_name"
    export LD_LIBRARY_PATH="$LIBCLANG_PATH${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    # That libclang comes without headers of its own; the C compiler's do.
    BINDGEN_EXTRA_CLANG_ARGS="-I$(cc -print-file-name=include)"
    export BINDGEN_EXTRA_CLANG_ARGS
  fi
  cargo build --release --locked --quiet
  binary=${CARGO_TARGET_DIR:-$PWD/target}/release/agave-validator
  popd >/dev/null
  exec env IONET_AGAVE_INSIDE="$binary" unshare --map-root-user --net "$0" "${options[@]}" -- "$@"
fi

ip link set lo up
work=$(mktemp -d)
validator=
stop() {
  [ -z "$validator" ] || kill "$validator" 2>/dev/null || true
  wait
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# Its logs are many; RUST_LOG asks for them.
RUST_LOG=${RUST_LOG:-error} "$IONET_AGAVE_INSIDE" --ledger "$work/ledger" "${options[@]}" >"$work/urls" &
validator=$!
until grep '^{' "$work/urls"; do
  kill -0 "$validator"
  sleep 0.2
done
if [ $# -gt 0 ]; then
  "$@"
else
  wait "$validator"
fi
