# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# deploy/lab cut A B: what A sends no longer reaches B, on any network, and the other way round.

verb_cut() {
  local from=${1:-} to=${2:-} both=yes only=all
  require_machine "$from"
  require_machine "$to"
  require_lab
  [[ $from != "$to" ]] || fail "cut wants two machines"
  shift 2
  while (($# > 0)); do
    case $1 in
      --one-way) both=no ;;
      --only)
        only=${2:-}
        [[ $only == vrrp || $only == link ]] || fail "--only wants vrrp or link"
        shift
        ;;
      *) fail "cut: no flag '$1'; see: deploy/lab help" ;;
    esac
    shift
  done
  lock_lab
  one_cut "$from" "$to" "$only"
  [[ $both == no ]] || one_cut "$to" "$from" "$only"
  say "cut: '$from' $([[ $both == no ]] && echo 'no longer reaches' || echo 'and') '$to'$([[ $only == all ]] || echo ", $only only")"
}

one_cut() {
  printf '%s %s %s\n' "$1" "$2" "$3" >>"$STATE/cuts"
  drop_from_to "$1" "$2" "$3"
}
