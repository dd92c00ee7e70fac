# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# deploy/lab revive MACHINE: power is back; it boots from its disks, its services start.

verb_revive() {
  local started
  (($# == 1)) || fail "revive wants a machine: deploy/lab revive node1"
  require_machine "$1"
  require_lab
  ! is_up "$1" || fail "'$1' runs; nothing to revive"
  started=$(now_ms)
  lock_lab
  load_options
  power_off "$1"
  boot_machine "$1"
  start_services "$1"
  say "'$1' has booted$(since "$started")"
}
