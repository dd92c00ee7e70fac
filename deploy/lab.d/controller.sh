# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The machine "controller": zcontroller on the management network, and the nodes that enrol there.

has_controller() { [[ " $MACHINES " == *" controller "* ]]; }

write_controller_files() {
  mkdir -p "$STATE/controller/etc/zcluster"
  cat >"$STATE/controller/etc/zcluster/controller.yaml" <<YAML
name: labs
addresses: [$(address_of controller)]
metrics: {listen: "[::]:7803"}
YAML
}

start_controller() { spawn controller /var/log/zcluster/controller.log zcontroller; }

controller_answers() { in_machine controller zctl fleet list >/dev/null 2>&1; }

# A token for each node, where its agent looks for one.
write_tokens() {
  local node file
  wait_for 20 "the controller to answer" controller_answers ||
    fail "the controller does not answer: $(in_machine controller tail -n 5 /var/log/zcluster/controller.log)"
  for node in $NODES; do
    file=$STATE/$node/etc/zcluster/controller.token
    mkdir -p "${file%/*}"
    (umask 0077 && in_machine controller zctl fleet token 2>/dev/null >"$file") || fail "the controller makes no token"
  done
}

# Every pair GREEN and ready, by both of its agents, as the controller sees it.
fleet_is_ready() {
  in_machine controller zctl fleet list -o json 2>/dev/null |
    jq -e --argjson pairs "$PAIRS" '(.pairs | length == $pairs) and all(.pairs[]; .status == "GREEN" and .ready and all(.nodes[]; .connected))' >/dev/null 2>&1
}
