# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What a node is made of: its files, its farm, and the service that makes it highly available, which
# is our agent or, with --raw, keepalived alone.

peer_of() {
  local number=${1#node}
  ((number % 2)) && echo "node$((number + 1))" || echo "node$((number - 1))"
}

# The VIPs of a pair: vip_of PAIR front|back 4|6.
vip_of() {
  case $2$3 in
    *4) printf '%s.%d' "$(prefix4 "$2")" $((99 + $1)) ;;
    *6) printf '%s:%d' "$(prefix6 "$2")" $((99 + $1)) ;;
  esac
}

# "ADDRESS INTERFACE" of each VIP of a pair, a line each.
vips_of() {
  local network
  for network in front back; do
    printf '%s %s\n' "$(vip_of "$1" $network 4)" $network "$(vip_of "$1" $network 6)" $network
  done
}

# The node's own configuration.
render_agent_yaml() {
  local node=$1 peer number peer_number
  peer=$(peer_of "$node")
  number=$(number_of "$node")
  peer_number=$(number_of "$peer")
  cat <<YAML
node: {name: $node, address: 10.10.0.$number, interface: front}
peer: {name: $peer, address: 10.10.0.$peer_number, links: ["10.30.0.$peer_number:$LINK_PORT", "10.10.0.$peer_number:$LINK_PORT"]}
listen: "[::]:$LINK_PORT"
tls: {certificate: /etc/zcluster/tls/node.crt, key: /etc/zcluster/tls/node.key, ca: /etc/zcluster/tls/ca.crt}
programs: [/usr/bin/hostname, /usr/bin/echo, /usr/bin/false, /usr/bin/test, /usr/sbin/nft]
YAML
  render_controller_section
}

# What makes a node one of the lab's controller, and lets monitoring reach it.
render_controller_section() {
  [[ $LAB_CONTROLLER == yes ]] || return 0
  cat <<YAML
controller: {addresses: ["$(address_of controller):$CONTROLLER_PORT"], allow: ADMIN}
metrics: {listen: "[::]:7703"}
YAML
}

# What both nodes of a pair hold in common.
render_pair_yaml() {
  local pair=$1
  cat <<YAML
name: $(pair_name "$pair")
vrrp: {router_id: $((50 + pair)), advert_interval: $LAB_ADVERT$([[ $LAB_MULTICAST == no ]] || echo ", multicast: true")}
failback: $LAB_FAILBACK
$([[ $LAB_FAILBACK != PREFERRED ]] || echo "preferred: node$((2 * pair - 1))")
vips:
  - {address: $(vip_of "$pair" front 4)/24, interface: front}
  - {address: "$(vip_of "$pair" front 6)/64", interface: front}
  - {address: $(vip_of "$pair" back 4)/24, interface: back}
  - {address: "$(vip_of "$pair" back 6)/64", interface: back}
conntrack: {replicate: $LAB_REPLICATE}
roots: [{path: /etc/haproxy}]
YAML
  if [[ -n $LAB_CATALOGUE ]]; then
    cat "$LAB_CATALOGUE"
  else
    cat <<'YAML'
commands:
  - {name: hostname, summary: "print the host name", argv: [/usr/bin/hostname], timeout: 5s}
  - {name: say, summary: "echo a word", argv: [/usr/bin/echo, "{word}"], arguments: [{name: word, pattern: "[a-z]{1,20}"}], timeout: 5s}
  - {name: fail, summary: "exit 1, to see how a failure looks", argv: [/usr/bin/false], timeout: 5s}
YAML
  fi
}

# Raw keepalived, tuned as well as what we render for ours: VRRPv3, unicast, high priorities, one
# instance with the IPv6 addresses beside it, and ahead of other work of the machine.
render_keepalived() {
  local node=$1 number peer_number priority
  number=$(number_of "$node")
  peer_number=$(number_of "$(peer_of "$node")")
  priority=$([[ $node == node1 ]] && echo "${LAB_PRIORITIES%/*}" || echo "${LAB_PRIORITIES#*/}")
  cat <<CONF
global_defs {
  router_id $node
  script_user root
  vrrp_version 3
  vrrp_priority -20
  vrrp_garp_master_repeat 3
  vrrp_garp_master_delay 1
}
vrrp_instance lab {
  state BACKUP
  nopreempt
  interface front
  virtual_router_id 51
  priority $priority
  advert_int $(seconds_of "$LAB_ADVERT")
  unicast_src_ip 10.10.0.$number
  unicast_peer {
    10.10.0.$peer_number
  }
  virtual_ipaddress {
    $FRONT_VIP/24 dev front
    $BACK_VIP/24 dev back
  }
  virtual_ipaddress_excluded {
    $FRONT_VIP6/64 dev front
    $BACK_VIP6/64 dev back
  }
$([[ $LAB_CONNTRACKD == no ]] || render_notify_lines)
}
CONF
}

# seconds_of 100ms: 0.1
seconds_of() {
  case $1 in
    *ms) awk -v ms="${1%ms}" 'BEGIN { printf "%g", ms / 1000 }' ;;
    *s) printf '%s' "${1%s}" ;;
    *) fail "'$1' is not an interval such as 100ms or 1s" ;;
  esac
}

# The farm: what arrives at the VIP goes to the backends in turn, from the backs' own VIP. In turn, and
# without picking up connections in their middle, so that one lives on only if its entry was there.
render_farm() {
  local pair front front6 back back6
  pair=$(pair_of "$1")
  front=$(vip_of "$pair" front 4) front6=$(vip_of "$pair" front 6)
  back=$(vip_of "$pair" back 4) back6=$(vip_of "$pair" back 6)
  cat <<NFT
table inet zlab_farm {
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr $front tcp dport $FARM_PORT dnat ip to numgen inc mod 2 map { 0 : 10.20.0.11, 1 : 10.20.0.12 } : $BACKEND_PORT
    ip daddr $front udp dport $PROBE_PORT dnat ip to numgen inc mod 2 map { 0 : 10.20.0.11, 1 : 10.20.0.12 } : $BACKEND_PORT
    ip6 daddr $front6 tcp dport $FARM_PORT dnat ip6 to numgen inc mod 2 map { 0 : fd20::11, 1 : fd20::12 } : $BACKEND_PORT
    ip6 daddr $front6 udp dport $PROBE_PORT dnat ip6 to numgen inc mod 2 map { 0 : fd20::11, 1 : fd20::12 } : $BACKEND_PORT
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname back ct status dnat meta nfproto ipv4 snat ip to $back
    oifname back ct status dnat meta nfproto ipv6 snat ip6 to $back6
  }
NFT
  # With agents, their own table does this. A packet that conntrack cannot place skips NAT and would
  # reach the node's own TCP, which resets the client's connection.
  [[ $LAB_RAW == no ]] || cat <<NFT
  chain input {
    type filter hook input priority filter; policy accept;
    ct state invalid drop
  }
NFT
  printf '}\n'
}

# All files of a node, at `up`; what a node changed later survives its reboots.
write_node_files() {
  local node=$1 etc=$STATE/$1/etc/zcluster
  mkdir -p "$etc"
  render_farm "$node" >"$STATE/$node/farm.nft"
  if [[ $LAB_RAW == yes ]]; then
    render_keepalived "$node" >"$etc/keepalived-raw.conf"
    [[ $LAB_CONNTRACKD == no ]] || write_conntrackd_files "$node"
    return
  fi
  if [[ $LAB_BARE == yes ]]; then
    # What an operator may have written before; the rest is for `zctl cluster create`.
    printf 'programs: [/usr/bin/hostname, /usr/bin/echo, /usr/bin/false, /usr/bin/test, /usr/sbin/nft]\n' >"$etc/agent.yaml"
    render_controller_section >>"$etc/agent.yaml"
    return
  fi
  render_agent_yaml "$node" >"$etc/agent.yaml"
  render_pair_yaml "$(pair_of "$node")" >"$etc/pair.yaml"
  make_certificate "$node" "$(pair_name "$(pair_of "$node")")" "$node" valid
}

# Routing and farm, before anything may send the node traffic.
configure_node() {
  local node=$1
  in_machine "$node" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  in_machine "$node" nft -f "$STATE/$node/farm.nft"
  in_machine "$node" sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
}

# What a machine runs once it is up.
start_services() {
  case $1 in
    node*)
      configure_node "$1"
      start_agent "$1"
      ;;
    controller) start_controller ;;
    backend*) spawn "$1" /var/log/traffic.log zlab-traffic serve --port "$BACKEND_PORT" --name "$1" ;;
    client)
      # A client of this lab opens more connections a minute than a patient one has ports for.
      in_machine client sysctl -qw net.ipv4.tcp_tw_reuse=1 net.ipv4.ip_local_port_range="10000 65000"
      ;;
  esac
}

# spawn MACHINE LOG COMMAND...: in the background, as a child of the machine's first process.
spawn() {
  local machine=$1 log=$2
  shift 2
  # shellcheck disable=SC2016
  in_machine "$machine" bash -c 'log=$1; shift; setsid "$@" </dev/null >>"$log" 2>&1 &' spawn "$log" "$@"
}

agent_pid_file() {
  [[ $1 != controller ]] || { echo /run/zcluster/controller.pid; return; }
  [[ $LAB_RAW == yes ]] && echo /run/keepalived-raw.pid || echo /run/zcluster/agent.pid
}

# The number of the node's agent (or raw keepalived) as the node sees it; nothing if none runs.
agent_pid() {
  # shellcheck disable=SC2016
  in_machine "$1" bash -c 'pid=$(<"$1") && [[ $(<"/proc/$pid/comm") =~ ^(zagent|zcontroller|keepalived)$ ]] && echo "$pid"' agent_pid "$(agent_pid_file "$1")" 2>/dev/null || true
}

agent_runs() { [[ -n $(agent_pid "$1") ]]; }
agent_gone() { [[ -z $(agent_pid "$1") ]]; }

start_agent() {
  local node=$1
  if [[ $node == controller ]]; then
    start_controller
    return
  fi
  if [[ $LAB_RAW == yes ]]; then
    [[ $LAB_CONNTRACKD == no ]] || start_conntrackd "$node"
    in_machine "$node" rm -f /run/keepalived-raw.pid /run/keepalived-raw.vrrp
    spawn "$node" /var/log/zcluster/keepalived.log keepalived --dont-fork --log-console --log-detail --vrrp \
      --use-file=/etc/zcluster/keepalived-raw.conf --pid=/run/keepalived-raw.pid --vrrp_pid=/run/keepalived-raw.vrrp
  else
    spawn "$node" /var/log/zcluster/agent.log zagent
  fi
}

# start_keepalived_alone NODE: as the unit would, by the commands that stand there; but our programs come from the build tree.
start_keepalived_alone() {
  local unit=$LAB_SOURCE/deploy/systemd/zcluster-keepalived.service before start
  before=$(sed -n 's|^ExecStartPre=/usr/sbin/||p' "$unit")
  start=$(sed -n 's|^ExecStart=||p' "$unit")
  in_machine "$1" mkdir -p -m 700 /run/zcluster
  # shellcheck disable=SC2086
  in_machine "$1" $before
  # shellcheck disable=SC2086
  spawn "$1" /run/zcluster/keepalived.log $start
}

# signal_agent NODE SIGNAL: and wait until it is gone.
signal_agent() {
  local node=$1 pid
  pid=$(agent_pid "$node")
  [[ -n $pid ]] || fail "no agent runs on '$node'; start it: deploy/lab agent $node start"
  local victims=("$pid")
  if [[ $LAB_RAW == yes && $2 == KILL ]]; then
    victims+=("$(in_machine "$node" cat /run/keepalived-raw.vrrp)")
  fi
  in_machine "$node" kill "-$2" "${victims[@]}"
  wait_for 20 "the agent of '$node' to end" agent_gone "$node" || fail "it did not end: deploy/lab agent $node kill"
}

# vip_holders ADDRESS INTERFACE: the nodes that have it.
vip_holders() {
  local node netns addresses
  for node in $NODES; do
    netns=$(netns_of "$node")
    [[ -e /run/netns/$netns ]] || continue
    addresses=$(ip -n "$netns" -o addr show dev "$2" 2>/dev/null) || continue
    [[ $addresses != *" $1/"* ]] || echo "$node"
  done
}
