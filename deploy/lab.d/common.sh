# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034  # used by the files that are sourced beside this one
# What every verb needs: names and places of this lab, the table of its machines, talk, waiting.

readonly LAB=${ZLAB:-default}
# On a real filesystem, since the nodes' disks live here: files that are synced and renamed.
readonly STATE=/var/tmp/zlab-$LAB
readonly BUILD=${ZC_BUILD:-$LAB_SOURCE/build}
readonly SWITCH=zlab-$LAB-switch
# What is run inside: nothing of whoever called us, but the programs that were built.
readonly INSIDE_PATH=/run/zlab/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
readonly FARM_PORT=80
readonly PROBE_PORT=7007
readonly BACKEND_PORT=8080
readonly LINK_PORT=7700
readonly CONTROLLER_PORT=7800
# Of the first pair, which the demo and most scenarios are about.
readonly FRONT_VIP=10.10.0.100 FRONT_VIP6=fd10::100
readonly BACK_VIP=10.20.0.100 BACK_VIP6=fd20::100
readonly MOST_PAIRS=8

# set_machines PAIRS CONTROLLER: who there is. Pair 1 is node1 and node2, pair 2 node3 and node4, ...
set_machines() {
  local node
  PAIRS=$1 NODES=
  for ((node = 1; node <= 2 * PAIRS; ++node)); do
    NODES+="${NODES:+ }node$node"
  done
  MACHINES="client $NODES backend1 backend2"
  [[ $2 == no ]] || MACHINES+=" controller"
}

# What the lab that stands was raised with; else what `up` without flags would raise.
set_machines_of_lab() {
  local LAB_PAIRS=1 LAB_CONTROLLER=no
  if [[ -f $STATE/lab.conf ]]; then
    LAB_PAIRS=$(sed -n 's/^declare -g LAB_PAIRS="\(.*\)"$/\1/p' "$STATE/lab.conf")
    LAB_CONTROLLER=$(sed -n 's/^declare -g LAB_CONTROLLER="\(.*\)"$/\1/p' "$STATE/lab.conf")
  fi
  set_machines "${LAB_PAIRS:-1}" "${LAB_CONTROLLER:-no}"
}
set_machines_of_lab

say() { printf 'lab: %s\n' "$*" >&2; }

fail() {
  printf 'lab: %s\n' "$*" >&2
  exit 1
}

# Milliseconds of a clock that only differences of are used.
now_ms() {
  local now=${EPOCHREALTIME/[.,]/}
  printf '%s' $((now / 1000))
}

# 'since START_MS': "" below a second, else " (1.2 s)".
since() {
  local ms=$(($(now_ms) - $1))
  ((ms < 1000)) || printf ' (%d.%d s)' $((ms / 1000)) $((ms % 1000 / 100))
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds; 1, with words, if it never did.
wait_for() {
  local seconds=$1 what=$2 end
  shift 2
  end=$(($(now_ms) + seconds * 1000))
  until "$@"; do
    if (($(now_ms) > end)); then
      say "waited ${seconds} s in vain: $what"
      return 1
    fi
    sleep 0.05
  done
}

is_machine() { [[ " $MACHINES " == *" $1 "* ]]; }
is_node() { [[ " $NODES " == *" $1 "* ]]; }

require_machine() {
  is_machine "${1:-}" || fail "no machine '${1:-}' in lab '$LAB'; it has: $MACHINES"
}

require_node() {
  is_node "${1:-}" || fail "'${1:-}' is no node of lab '$LAB'; the nodes are: $NODES"
}

require_lab() {
  [[ -f $STATE/lab.conf ]] || fail "there is no lab '$LAB'; raise it: deploy/lab up"
}

# What `up` was told: LAB_ADVERT, LAB_FAILBACK, LAB_REPLICATE, LAB_RAW, LAB_PRIORITIES, LAB_CATALOGUE, LAB_BARE, LAB_PAIRS,
# LAB_CONTROLLER.
load_options() {
  # shellcheck source=/dev/null
  . "$STATE/lab.conf"
}

# One verb at a time changes a lab. Whatever is started in the background must not inherit this
# descriptor (9), or the lock would live as long as it.
lock_lab() {
  exec 9>"/var/tmp/zlab-$LAB.lock"
  flock --wait 120 9 || fail "another deploy/lab has been changing lab '$LAB' for two minutes"
}

netns_of() { printf 'zlab-%s-%s' "$LAB" "$1"; }

networks_of() {
  case $1 in
    client) echo front ;;
    node*) [[ " $MACHINES " != *" controller "* ]] && echo front back wire || echo front back wire mgmt ;;
    backend*) echo back ;;
    controller) echo mgmt ;;
  esac
}

number_of() {
  case $1 in
    node?) echo "${1#node}" ;;
    node*) echo $((20 + ${1#node})) ;;
    controller) echo 40 ;;
    client) echo 10 ;;
    backend1) echo 11 ;;
    backend2) echo 12 ;;
  esac
}

# The pair that a node is of, from 1, and its name.
pair_of() { echo $(((${1#node} + 1) / 2)); }
pair_name() { [[ $1 == 1 ]] && echo lab || echo "lab$1"; }

# prefix4 NETWORK: the address without its last part; the IPv6 one likewise. The wire and the management
# network have IPv4 alone.
prefix4() {
  case $1 in front) echo 10.10.0 ;; back) echo 10.20.0 ;; wire) echo 10.30.0 ;; mgmt) echo 10.40.0 ;; esac
}
prefix6() {
  case $1 in front) echo fd10: ;; back) echo fd20: ;; esac
}

# The address a machine is known by.
address_of() {
  local networks
  read -r -a networks <<<"$(networks_of "$1")"
  printf '%s.%s' "$(prefix4 "${networks[0]}")" "$(number_of "$1")"
}

# mac_of NETWORK MACHINE: the same at every boot, as a real card's.
mac_of() {
  local network
  case $1 in front) network=10 ;; back) network=20 ;; wire) network=30 ;; mgmt) network=40 ;; esac
  printf '02:00:00:%s:00:%02d' "$network" "$(number_of "$2")"
}
