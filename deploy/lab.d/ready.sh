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
    wait_for 60 "all nodes to be GREEN and ready" pair_is_ready || {
      explain_pair
      fail "the lab stays up to look into; end it: deploy/lab down"
    }
    if has_controller && is_up controller; then
      wait_for 60 "the controller to see every pair ready" fleet_is_ready || {
        explain_controller
        fail "the lab stays up to look into; end it: deploy/lab down"
      }
    fi
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
  for node in $NODES; do
    role_of "$node" UNCONFIGURED || return 1
  done
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

explain_controller() {
  say "what the controller says:"
  in_machine controller zctl fleet list >&2 || true
  in_machine controller tail -n 15 /var/log/zcluster/controller.log >&2 || true
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
