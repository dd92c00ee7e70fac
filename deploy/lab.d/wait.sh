# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# deploy/lab wait: until the pair is ready again, after a revive or a heal.

verb_wait() {
  (($# == 0)) || fail "wait takes nothing"
  require_lab
  load_options
  wait_until_ready
}
