# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Two nodes, a and b: network namespaces with a wire between them. On both runs one of:
#   ours    zcluster-replicator
#   direct  conntrackd, FTFW, which writes into the backup's kernel as ours does
#   cached  conntrackd, FTFW, as it comes: the backup's kernel has nothing until it is told to commit
#   none    nobody
# Flows are made on a.

readonly BENCH=${ZLAB:-zbct}
readonly EVENT_BUFFER=$((64 << 20))

netns_of() { echo "$BENCH-$1"; }
in_node() { nsenter --net="/run/netns/$BENCH-$1" "${@:2}"; }

# Limits that all namespaces share: raised where they are lower, and put back at the end. A table of so many buckets would go on
# costing whoever walks it.
RAISED=()
raise_limits() {
  at_least nf_conntrack_max 2500000
  at_least nf_conntrack_buckets 1048576
}

at_least() {
  local file=/proc/sys/net/netfilter/$1
  local before
  before=$(<"$file")
  ((before < $2)) || return 0
  echo "$2" >"$file" || fail "cannot set $file to $2; are we root, outside of any container?"
  RAISED=("$before" "$file" "${RAISED[@]}")
}

put_limits_back() {
  while ((${#RAISED[@]} > 0)); do
    echo "${RAISED[0]}" >"${RAISED[1]}"
    RAISED=("${RAISED[@]:2}")
  done
}

make_nodes() {
  local node
  for node in a b; do
    ip netns add "$(netns_of "$node")"
    in_node "$node" sysctl -qw net.netfilter.nf_conntrack_events=1 net.netfilter.nf_conntrack_udp_timeout=36000 \
      net.netfilter.nf_conntrack_udp_timeout_stream=36000 net.ipv4.conf.all.rp_filter=0
  done
  # The other end of `sink` stays down: packets of flows end there, right behind the connection tracking.
  ip -batch - <<IP
link add wire netns $(netns_of a) type veth peer name wire netns $(netns_of b)
link add sink netns $(netns_of a) type veth peer name sunk netns $(netns_of a)
IP
  ip -n "$(netns_of a)" -batch - <<'IP'
link set lo up
addr add 10.30.0.1/24 dev wire
link set wire up
addr add 10.31.0.1/32 dev sink
link set sink arp off up
route add 192.0.2.0/24 dev sink
IP
  ip -n "$(netns_of b)" -batch - <<'IP'
link set lo up
addr add 10.30.0.2/24 dev wire
link set wire up
IP
  # Nothing but the flows of the load is tracked.
  for node in a b; do
    in_node "$node" nft -f - <<'NFT'
table ip bench {
  chain in { type filter hook prerouting priority raw; notrack; }
  chain out { type filter hook output priority raw; ip daddr != 192.0.2.0/24 notrack; }
  chain use { type filter hook output priority filter; ct state invalid drop; }
}
NFT
  done
}

# raise_side SIDE [FLOWS]: fresh nodes, `a` with so many flows, its side's programs on both; the peer has been sent nothing yet.
raise_side() {
  local side=$1 flows=${2:-0}
  lower_side
  make_nodes
  SIDE=$side
  ((flows == 0)) || fill "$flows"
  [[ $side == none ]] || start_program b
  [[ $side == none ]] || start_program a
}

# Has a replicate to b from now on, and waits until it does.
connect_side() {
  case $SIDE in
    ours) lead && wait_for 20 "ours to be synchronised" says a "master synchronised" ;;
  esac
}

lower_side() {
  local node
  for node in a b; do
    stop_program "$node"
    # Emptied here and now: a namespace that goes is emptied behind our back, while the next is measured.
    [[ ! -e /run/netns/$(netns_of "$node") ]] || in_node "$node" conntrack -F >/dev/null 2>&1 || true
    [[ ! -e /run/netns/$(netns_of "$node") ]] || ip netns del "$(netns_of "$node")"
  done
  SIDE=none
}

SIDE=none
declare -A PID=() ORDERS=()

start_program() {
  case $SIDE in
    ours) start_ours "$1" ;;
    *) start_conntrackd "$1" ;;
  esac
}

stop_program() {
  local pid=${PID[$1]:-} fd=${ORDERS[$1]:-}
  [[ -z $fd ]] || exec {fd}>&-
  ORDERS[$1]=
  [[ -n $pid ]] || return 0
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  PID[$1]=
}

address_of() { if [[ $1 == a ]]; then echo 10.30.0.1; else echo 10.30.0.2; fi; }
peer_of() { if [[ $1 == a ]]; then echo b; else echo a; fi; }

# -- ours

# nsenter becomes the program: $! must be its pid.
start_ours() {
  local node=$1 peer fd
  peer=$(peer_of "$node")
  rm -f "$WORK/$node.orders"
  mkfifo "$WORK/$node.orders"
  exec {fd}<>"$WORK/$node.orders"
  ORDERS[$node]=$fd
  : >"$WORK/$node.says"
  nsenter --net="/run/netns/$BENCH-$node" "$REPLICATOR" serve "$WORK" --name "$node" --address "$(address_of "$node")" --peer-name "$peer" \
    --peer-address "$(address_of "$peer")" <"$WORK/$node.orders" >"$WORK/$node.says" 2>>"$WORK/log" &
  PID[$node]=$!
  wait_for 10 "our replicator to start" says "$node" "none -"
}

says() { [[ $(<"$WORK/$1.says") == *"$2"* ]]; }

# order NODE ROLE TERM
order() { echo "$2 $3" >&"${ORDERS[$1]}"; }

lead() {
  order b backup 1
  wait_for 5 "the backup to stand by" says b "backup ordered"
  order a master 1
}

# -- conntrackd

start_conntrackd() {
  local node=$1
  write_conntrackd_file "$node" >"$WORK/$node.conf"
  rm -f "$WORK/$node.lock" "$WORK/$node.ctl"
  nsenter --net="/run/netns/$BENCH-$node" conntrackd -C "$WORK/$node.conf" </dev/null >>"$WORK/log" 2>&1 &
  PID[$node]=$!
  wait_for 20 "conntrackd to answer" conntrackd_answers "$node"
}

conntrackd_ctl() { in_node "$1" conntrackd -C "$WORK/$1.conf" "${@:2}"; }
conntrackd_answers() { conntrackd_ctl "$1" -s >/dev/null 2>&1; }

# cached NODE internal|external: how many flows that cache of it has.
cached() {
  conntrackd_ctl "$1" -s | awk -v cache="cache $2:" '$0 == cache { found = 1 } found && /current active connections/ { print $NF; exit }'
}
caches() { [[ $(cached "$1" "$2") == "$3" ]]; }

# As large as ours, or larger: buffers for events and messages, tables for a million flows.
write_conntrackd_file() {
  local direct=Off
  [[ $SIDE != direct ]] || direct=On
  cat <<CONF
Sync {
  Mode FTFW {
    ResendQueueSize 131072
    ACKWindowSize 300
    DisableExternalCache $direct
  }
  UDP {
    IPv4_address $(address_of "$1")
    IPv4_Destination_Address $(address_of "$(peer_of "$1")")
    Port 3780
    Interface wire
    SndSocketBuffer $((16 << 20))
    RcvSocketBuffer $((16 << 20))
    Checksum on
  }
}
General {
  Systemd off
  Syslog off
  HashSize 524288
  HashLimit 4194304
  LogFile $WORK/$1.log
  LockFile $WORK/$1.lock
  UNIX {
    Path $WORK/$1.ctl
  }
  NetlinkBufferSize $EVENT_BUFFER
  NetlinkBufferSizeMaxGrowth $((2 * EVENT_BUFFER))
}
CONF
}
