# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# When is a lab ready? With agents when both nodes say so of both; bare when both say that they are in no pair; raw when
# one node holds all VIPs.

wait_until_ready() {
  local waiting
  waiting=$(now_ms)
  if [[ $LAB_RAW == yes ]]; then
    wait_for 30 "one node to hold the VIPs" raw_pair_serves || fail "no node, or both, hold the VIPs; see: deploy/lab exec node1 cat /var/log/zcluster/keepalived.log"
  elif [[ $LAB_BARE == yes ]] && nodes_are_bare; then
    say "both nodes are in no pair; make one: deploy/lab exec node1 zctl cluster create"
    return
  else
    wait_for 60 "both nodes to be GREEN and ready" pair_is_ready || {
      explain_pair
      fail "the lab stays up to look into; end it: deploy/lab down"
    }
  fi
  say "the pair is ready$(since "$waiting")"
}

# Both agents answer, and at least one says that it is in no pair.
nodes_are_bare() {
  local node
  for node in $NODES; do
    wait_for 20 "the agent of '$node' to answer" agent_answers "$node" || {
      explain_pair
      fail "the lab stays up to look into; end it: deploy/lab down"
    }
  done
  role_of node1 UNCONFIGURED && role_of node2 UNCONFIGURED
}

agent_answers() { in_machine "$1" zctl nodes >/dev/null 2>&1; }
role_of() { in_machine "$1" zctl nodes -o json | jq -e --arg role "$2" '.nodes[0].role == $role' >/dev/null; }

raw_pair_serves() {
  local holder
  holder=$(vip_holders "$FRONT_VIP" front)
  [[ $(wc -w <<<"$holder") == 1 && $holder == "$(vip_holders "$BACK_VIP6" back)" ]]
}

pair_is_ready() {
  local node
  for node in $NODES; do
    in_machine "$node" zctl nodes -o json 2>/dev/null |
      jq -e '(.nodes | length == 2) and all(.nodes[]; .status == "GREEN")' >/dev/null 2>&1 || return 1
    in_machine "$node" zctl status -o json 2>/dev/null | jq -e '.ready == true' >/dev/null 2>&1 || return 1
  done
}

# What both nodes say of themselves, and the ends of their logs.
explain_pair() {
  local node
  for node in $NODES; do
    [[ -f $STATE/$node/pid ]] || continue
    say "what $node says:"
    in_machine "$node" zctl nodes >&2 || true
    in_machine "$node" zctl status >&2 || true
    in_machine "$node" tail -n 15 /var/log/zcluster/agent.log >&2 || true
  done
}
