# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# deploy/lab heal: every cut is undone.

verb_heal() {
  local machine netns
  (($# == 0)) || fail "heal takes nothing: it undoes all cuts"
  require_lab
  lock_lab
  rm -f "$STATE/cuts"
  for machine in $MACHINES; do
    netns=$(netns_of "$machine")
    [[ ! -e /run/netns/$netns ]] || in_netns "$netns" nft delete table netdev zlab_cut 2>/dev/null || true
  done
  say "healed: everybody reaches everybody"
}
