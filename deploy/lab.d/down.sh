# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# deploy/lab down: nothing is left.

verb_down() {
  local started
  started=$(now_ms)
  lock_lab
  clear_leftovers
  rm -f "/var/tmp/zlab-$LAB.lock"
  say "lab '$LAB' is down$(since "$started")"
}
