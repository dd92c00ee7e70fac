# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The networks: a namespace that holds the bridges, and a cable from each machine to its bridges.

make_switch() {
  ip netns add "$SWITCH"
  # A host with br_netfilter would push bridged frames through iptables: not what a switch does.
  in_netns "$SWITCH" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  in_netns "$SWITCH" sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 \
    net.bridge.bridge-nf-call-arptables=0 2>/dev/null || true
  local network
  for network in front back wire mgmt; do
    printf 'link add %s type bridge stp_state 0 mcast_snooping 0\nlink set %s up\n' "$network" "$network"
  done | ip -n "$SWITCH" -batch -
}

in_netns() {
  local netns=$1
  shift
  nsenter --net="/run/netns/$netns" -- "$@"
}

# A machine's network namespace with its cables and addresses; its own programs start later.
plug_in() {
  local machine=$1 netns network number
  netns=$(netns_of "$machine")
  number=$(number_of "$machine")
  ip netns add "$netns"
  for network in $(networks_of "$machine"); do
    printf 'link add %s-%s type veth peer name %s address %s netns %s\n' \
      "$network" "$machine" "$network" "$(mac_of "$network" "$machine")" "$netns"
    printf 'link set %s-%s master %s up\n' "$network" "$machine" "$network"
  done | ip -n "$SWITCH" -batch -
  # Addresses are at once what they will be: no machine waits for duplicate address detection.
  in_netns "$netns" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
    net.ipv6.conf.all.accept_ra=0 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
  {
    printf 'link set lo up\n'
    for network in $(networks_of "$machine"); do
      printf 'addr add %s.%s/24 dev %s\n' "$(prefix4 "$network")" "$number" "$network"
      [[ -z $(prefix6 "$network") ]] || printf 'addr add %s:%s/64 dev %s nodad\n' "$(prefix6 "$network")" "$number" "$network"
      printf 'link set %s up\n' "$network"
    done
  } | ip -n "$netns" -batch -
}

# Every cable of a machine goes dark at once: nothing that it still says is heard.
links_down() {
  local machine=$1 network
  for network in $(networks_of "$machine"); do
    printf 'link set %s-%s down\n' "$network" "$machine"
  done | ip -n "$SWITCH" -batch - 2>/dev/null || true
}

unplug() {
  local machine=$1 network
  for network in $(networks_of "$machine"); do
    ip -n "$SWITCH" link del "$network-$machine" 2>/dev/null || true
  done
  ip netns del "$(netns_of "$machine")" 2>/dev/null || true
}

# One direction of a cut, in the receiver's namespace, where frames come in and before anything of
# its own sees them: the sender by its MAC address, ARP included unless only one protocol is cut.
drop_from_to() {
  local from=$1 to=$2 only=$3 network netns
  netns=$(netns_of "$to")
  [[ -e /run/netns/$netns ]] || return 0  # switched off; it gets its cuts when it boots
  for network in $(networks_of "$to"); do
    [[ " $(networks_of "$from") " == *" $network "* ]] || continue
    cut_rules "$network" "ether saddr $(mac_of "$network" "$from")" "$only"
  done | in_netns "$netns" nft -f -
}

# cut_rules NETWORK MATCH ONLY: nft statements; adding a chain that exists changes nothing.
cut_rules() {
  local chain="add rule netdev zlab_cut from_$1 $2"
  printf 'add table netdev zlab_cut\n'
  printf 'add chain netdev zlab_cut from_%s { type filter hook ingress device %s priority -500; }\n' "$1" "$1"
  case $3 in
    all) printf '%s drop\n' "$chain" ;;
    vrrp) printf '%s meta l4proto 112 drop\n' "$chain" ;;
    link)
      printf '%s tcp dport %s drop\n' "$chain" "$LINK_PORT"
      printf '%s tcp sport %s drop\n' "$chain" "$LINK_PORT"
      ;;
  esac
}

# The cuts that a machine must have, from the list that `cut` writes: it boots into a cut network.
restore_cuts() {
  local machine=$1 from to only
  [[ -f $STATE/cuts ]] || return 0
  while read -r from to only; do
    [[ $to != "$machine" ]] || drop_from_to "$from" "$to" "$only"
  done <"$STATE/cuts"
}
