# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# deploy/lab exec NODE CMD...: as if typed on that machine.

verb_exec() {
  (($# >= 2)) || fail "exec wants a machine and a command: deploy/lab exec node1 zctl nodes"
  require_up "$1"
  inside "$@"
}
