# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# deploy/lab kill MACHINE: a power cut.

verb_kill() {
  (($# == 1)) || fail "kill wants a machine: deploy/lab kill node1"
  require_up "$1"
  lock_lab
  power_off "$1"
  say "'$1' has no power"
}
