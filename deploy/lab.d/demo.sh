# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# deploy/lab demo: two bare nodes become a pair, which lives through a power cut, a return, a switchover
# and a maintenance, while a client measures; a controller has seen it all; and are given back. Every promise is checked; one that breaks makes the exit code 1.

readonly DEMO_CONNECTIONS=200 DEMO_CONNECTIONS6=20 DEMO_REQUESTS=100
BROKEN=0
SUMMARY=()

verb_demo() {
  (($# == 0)) || fail "demo takes nothing"
  local part
  for part in up install build; do
    # shellcheck source=/dev/null
    . "$LAB_SOURCE/deploy/lab.d/$part.sh"
  done
  choose_colours
  trap demo_end EXIT
  demo_build
  demo_raise
  demo_create
  demo_traffic
  demo_power_cut
  demo_return
  demo_switchover
  demo_maintenance
  demo_totals
  demo_controller
  demo_unconfigure
}

choose_colours() {
  BOLD='' GREEN='' RED='' PLAIN=''
  if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    BOLD=$'\e[1m' GREEN=$'\e[32m' RED=$'\e[31m' PLAIN=$'\e[0m'
  fi
}

chapter() { printf '\n%s== %s%s\n' "$BOLD" "$*" "$PLAIN"; }
tell() { printf '   %s\n' "$*"; }

# promise TEXT COMMAND...: says whether it was kept.
promise() {
  local text=$1
  shift
  if "$@"; then
    printf '   %s[kept]%s   %s\n' "$GREEN" "$PLAIN" "$text"
  else
    printf '   %s[BROKEN]%s %s\n' "$RED" "$PLAIN" "$text"
    BROKEN=1
  fi
}

summarise() { SUMMARY+=("$(printf '%-52s %s' "$1" "$2")"); }

demo_end() {
  local result=$?
  trap - EXIT
  if ((result != 0)); then
    explain_pair 2>&1 | sed 's/^/   /' >&2 || true
  fi
  if [[ -f $STATE/lab.conf ]]; then
    chapter "Tearing down"
    # A new process: this one may hold the lab's lock, or have been stopped half-way through a change.
    exec 9>&- || true
    ZLAB=$LAB "$LAB_SOURCE/deploy/lab" down
  fi
  ((result == 0)) || printf '\n%sThe demo stopped early.%s\n' "$RED" "$PLAIN"
  if ((result == 0)); then
    chapter "In short"
    printf '   %s\n' "${SUMMARY[@]}"
    if ((BROKEN)); then
      printf '\n%sA promise was broken; see [BROKEN] above.%s\n' "$RED" "$PLAIN"
    else
      printf '\n%sEvery promise was kept.%s\n' "$GREEN" "$PLAIN"
    fi
  fi
  exit $((result != 0 || BROKEN))
}

demo_build() {
  local started
  chapter "Installing what is missing, building"
  started=$(now_ms)
  install_packages
  mkdir -p "$BUILD"
  build_tree "$LAB_SOURCE" "$BUILD" "zagent zctl zcontroller zlab-traffic"
  tell "built in $BUILD$(since "$started")"
}

demo_raise() {
  chapter "Raising a client, two bare nodes, two backends, a controller"
  verb_up --bare --controller
  exec 9>&-
  show_nodes node1
}

# The operator's way: a token on the one node, the rest on the other.
demo_create() {
  local token create=(zctl cluster create --local-ip 10.10.0.1 --remote-ip 10.10.0.2 --name demo --check-interval 100ms
    --vip "$FRONT_VIP/24" --vip "$FRONT_VIP6/64" --vip "$BACK_VIP/24" --vip "$BACK_VIP6/64"
    --local-link 10.30.0.1 --remote-link 10.30.0.2 --root /etc/haproxy --token-stdin)
  chapter "From two bare nodes to a healthy pair"
  printf '   %s$ zctl node token%s     (on node2)\n' "$BOLD" "$PLAIN"
  token=$(in_machine node2 zctl node token 2>/dev/null)
  promise "node2 made a token that admits one join" test -n "$token"
  printf '   %s$ %s%s     (on node1, the token on its standard input)\n' "$BOLD" "${create[*]}" "$PLAIN"
  promise "the cluster is configured and healthy" quoted node1 "${create[@]}" <<<"$token"
  promise "both nodes say so" wait_for 20 "both nodes to be GREEN" pair_is_ready
  tell "the client reaches the farm at $FRONT_VIP:$FARM_PORT and [$FRONT_VIP6]:$FARM_PORT; the nodes spread it over two"
  tell "backends (DNAT) and send from $BACK_VIP (SNAT). The heartbeat is sent every 100 ms."
  show_nodes node1
}

# From another machine: what the fleet's history tells of the power cut, long after it.
demo_controller() {
  chapter "The controller's view of all that"
  printf '   %s$ zctl fleet list%s     (on the controller)\n' "$BOLD" "$PLAIN"
  promise "the controller sees the pair, and both agents are connected" wait_for 30 "the controller to see the pair ready" fleet_is_ready
  quoted controller zctl fleet list
  printf '\n   %s$ zctl fleet show demo%s\n' "$BOLD" "$PLAIN"
  quoted controller zctl fleet show demo
  printf '\n   %s$ zctl fleet events demo --limit 40%s\n' "$BOLD" "$PLAIN"
  quoted controller zctl fleet events demo --limit 40
  promise "it has each promotion that was: the pair's making, power cut, switchover, maintenance" test "$(promotions_seen)" -ge 4
  promise "and has no event twice, nor lost one" events_are_whole
}

promotions_seen() {
  in_machine controller zctl fleet events demo --limit 10000 -o json | jq '[.events[] | select(.name == "promoted")] | length'
}

# The numbers of each journal go up one by one. A node's journal begins anew with each pair.
events_are_whole() {
  in_machine controller zctl fleet events demo --limit 10000 -o json | jq -e '
    [.events[] | select(.node != "")] | group_by(.node) | length == 2 and
    all(.[]; [.[].journal_number] as $n | $n == [range($n[0]; $n[0] + ($n | length))])' >/dev/null
}

demo_unconfigure() {
  chapter "Giving both nodes back"
  printf '   %s$ zctl cluster unconfigure --yes%s     (on %s)\n' "$BOLD" "$PLAIN" "$(master_now)"
  promise "zctl says that it is done" quoted "$(master_now)" zctl cluster unconfigure --yes
  promise "no node holds a VIP" test -z "$(vip_holders "$FRONT_VIP" front)$(vip_holders "$BACK_VIP6" back)"
  promise "both are in no pair" nodes_are_bare
}

show_nodes() {
  printf '\n   %s$ zctl nodes%s     (on %s)\n' "$BOLD" "$PLAIN" "$1"
  in_machine "$1" zctl nodes | sed 's/^/   /'
}

demo_traffic() {
  chapter "Traffic: long-lived connections, requests, and a probe every millisecond"
  traffic_start hold hold --to "$FRONT_VIP:$FARM_PORT" --connections "$DEMO_CONNECTIONS"
  traffic_start hold6 hold --to "[$FRONT_VIP6]:$FARM_PORT" --connections "$DEMO_CONNECTIONS6"
  traffic_start requests requests --to "$FRONT_VIP:$FARM_PORT" --rate "$DEMO_REQUESTS"
  # One lost probe is an outage to tell.
  traffic_start probe probe --to "$FRONT_VIP:$PROBE_PORT" --threshold 1500us
  wait_for 20 "connections to move bytes" all_alive || true
  wait_for 20 "probes to be answered" traffic_now_says probe '.answered > 100' || true
  promise "$(open_connections) of $((DEMO_CONNECTIONS + DEMO_CONNECTIONS6)) connections are open and move bytes both ways ($DEMO_CONNECTIONS6 of them IPv6)" all_alive
  tell "$DEMO_REQUESTS requests a second, each a TCP connection of its own"
}

open_connections() {
  echo $(($(traffic_value hold open) + $(traffic_value hold6 open)))
}

# Whether every connection has moved bytes since its mark, asked afresh.
all_alive() {
  traffic_now_says hold ".open == $DEMO_CONNECTIONS and .corrupt == 0" &&
    traffic_now_says hold6 ".open == $DEMO_CONNECTIONS6 and .corrupt == 0"
}

# From here on only what moves counts as alive, and only what is silent from here on as outage.
mark_all() {
  local name
  for name in hold hold6 probe; do
    traffic_mark "$name"
  done
}

master_now() { vip_holders "$FRONT_VIP" front; }

# serves_alone NODE: it holds every VIP, the other none.
serves_alone() {
  local entry
  for entry in "$FRONT_VIP front" "$FRONT_VIP6 front" "$BACK_VIP back" "$BACK_VIP6 back"; do
    # shellcheck disable=SC2086
    [[ $(vip_holders $entry) == "$1" ]] || return 1
  done
}

# wait_served NODE: it has taken over, and the client is answered again.
wait_served() {
  wait_for 30 "'$1' to take over" serves_alone "$1" &&
    wait_for 30 "the client to be answered again" traffic_now_says probe '.silent_ms < 20'
}

# The longest silence since the mark. One probe a millisecond shows nothing shorter than two.
outage_words() {
  traffic_value probe 'outage_ms | if . == 0 then "less than 2 ms" else "\(.) ms" end'
}

# What the client saw since the mark, for a chapter called so.
tell_traffic() {
  local name=$1 outage open total=$((DEMO_CONNECTIONS + DEMO_CONNECTIONS6))
  outage=$(outage_words)
  # Bytes that were sent before the mark prove nothing about what came after it.
  traffic_mark hold
  traffic_mark hold6
  wait_for 30 "every connection to move bytes again" all_alive || true
  open=$(open_connections)
  tell "outage as the client saw it: ${BOLD}$outage${PLAIN}"
  promise "connections open before $total, after $open" test "$open" == "$total"
  promise "every byte that came back was right: $(($(traffic_value hold bytes_verified) + $(traffic_value hold6 bytes_verified))) compared so far" \
    test "$(($(traffic_value hold corrupt) + $(traffic_value hold6 corrupt)))" == 0
  summarise "$name: outage, connections kept" "$outage, $open of $total"
}

demo_power_cut() {
  local master backup term
  master=$(master_now) backup=$(peer_of "$master")
  chapter "Power cut of the master, $master"
  wait_until_ready
  term=$(status_value "$backup" .term)
  mark_all
  "$LAB_SOURCE/deploy/lab" kill "$master" 2>/dev/null
  promise "$backup took over all four VIPs" wait_served "$backup"
  tell_traffic "power cut at 100 ms adverts"
  promise "the term went from $term to $(status_value "$backup" .term)" term_is_over "$backup" "$term"
  traffic_ask requests
  promise "no request failed; the slowest took $(traffic_value requests slowest_ms) ms (a lost SYN is sent again after 1 s)" traffic_says requests '.failed == 0'
  promise "$backup says that $master is unreachable" wait_for 20 "'$master' to be missed" calls_unreachable "$backup"
  show_nodes "$backup"
}

calls_unreachable() {
  in_machine "$1" zctl nodes -o json | jq -e '.nodes[] | select(.node == "remote") | .status == "GREY"' >/dev/null
}

status_value() { in_machine "$1" zctl status -o json | jq -r "$2"; }
term_is_over() { (($(status_value "$1" .term) > $2)); }

demo_return() {
  local master returned started
  master=$(master_now) returned=$(peer_of "$master")
  chapter "The old master, $returned, boots again"
  mark_all
  started=$(now_ms)
  "$LAB_SOURCE/deploy/lab" revive "$returned" 2>/dev/null
  wait_until_ready
  tell "booted, and fully synchronised$(since "$started"): it holds $(status_value "$returned" .conntrack.flows) connections"
  promise "nothing moved back by itself: $master serves (failback KEEP)" serves_alone "$master"
  traffic_ask probe
  promise "the client noticed nothing: the longest silence was $(outage_words)" traffic_says probe '.outage_ms < 100'
  show_nodes "$master"
}

demo_switchover() {
  local master backup failed
  master=$(master_now) backup=$(peer_of "$master")
  chapter "Switchover by hand, from $master to $backup"
  traffic_ask requests
  failed=$(traffic_value requests failed)
  mark_all
  printf '   %s$ zctl switchover%s     (on %s)\n' "$BOLD" "$PLAIN" "$master"
  promise "zctl says that it is done" quoted "$master" zctl switchover
  promise "$backup serves" wait_served "$backup"
  tell_traffic "switchover"
  traffic_ask requests
  promise "no request failed" traffic_says requests ".failed == $failed"
  wait_until_ready
}

# quoted MACHINE COMMAND...: its output set in like a quotation, its exit code.
quoted() { in_machine "$@" 2>&1 | sed 's/^/   /'; }

demo_maintenance() {
  local master backup
  master=$(master_now) backup=$(peer_of "$master")
  chapter "Maintenance of the master, $master"
  mark_all
  printf '   %s$ zctl maintenance enter%s     (on %s)\n' "$BOLD" "$PLAIN" "$master"
  promise "$master is out" quoted "$master" zctl maintenance enter
  promise "$backup serves" wait_served "$backup"
  tell_traffic "entering maintenance"
  show_nodes "$backup"
  printf '\n   %s$ zctl maintenance start%s     (on %s)\n' "$BOLD" "$PLAIN" "$master"
  promise "$master is back" quoted "$master" zctl maintenance start
  wait_until_ready
  promise "nothing moved back by itself: $backup serves" serves_alone "$backup"
}

demo_totals() {
  local name
  chapter "What the client saw in all"
  for name in hold hold6 requests probe; do
    traffic_stop "$name"
  done
  promise "$(traffic_value requests ok) requests answered, $(traffic_value requests failed) failed; half of them within $(traffic_value requests p50_ms) ms" \
    traffic_says requests '.failed == 0'
  promise "$(($(traffic_value hold bytes_verified) + $(traffic_value hold6 bytes_verified))) bytes compared on connections that lived through it all, 0 wrong" \
    traffic_says hold ".open == $DEMO_CONNECTIONS and .corrupt == 0"
  summarise "requests answered, failed" "$(traffic_value requests ok), $(traffic_value requests failed)"
}
