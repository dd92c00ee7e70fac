# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# deploy/lab revive MACHINE [--without-agent]: power is back; it boots from its disks, its services start.

verb_revive() {
  local started
  (($# == 1 || $# == 2)) || fail "revive wants a machine: deploy/lab revive node1"
  require_machine "$1"
  if (($# == 2)); then
    [[ $2 == --without-agent ]] || fail "revive: no flag '$2'; it has --without-agent"
    require_node "$1"
  fi
  require_lab
  ! is_up "$1" || fail "'$1' runs; nothing to revive"
  started=$(now_ms)
  lock_lab
  load_options
  power_off "$1"
  boot_machine "$1"
  if (($# == 2)); then
    configure_node "$1"
    start_keepalived_alone "$1"
  else
    start_services "$1"
  fi
  say "'$1' has booted$(since "$started")"
}
