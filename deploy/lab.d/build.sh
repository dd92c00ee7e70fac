# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Configure and build, for deploy/lab and tests/run.

# build_tree SOURCE DIRECTORY TARGETS CMAKE-FLAGS...: TARGETS is one word list, "" for everything.
build_tree() {
  local source=$1 directory=$2 targets=$3
  shift 3
  if [[ ! -f $directory/build.ninja ]] || (($# > 0)); then
    cmake -S "$source" -B "$directory" -G Ninja "$@" >"$directory.log" 2>&1 || {
      cat "$directory.log" >&2
      return 1
    }
    rm -f "$directory.log"
  fi
  # shellcheck disable=SC2086
  ninja -C "$directory" $targets >&2
}
