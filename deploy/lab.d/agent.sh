# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# deploy/lab agent NODE start|stop|kill|restart: the agent alone; keepalived and the traffic go on.

verb_agent() {
  (($# == 2)) || fail "agent wants a node (or the controller) and start, stop, kill or restart: deploy/lab agent node1 kill"
  [[ $1 == controller ]] || require_node "$1"
  require_up "$1"
  load_options
  case $2 in
    start)
      ! agent_runs "$1" || fail "an agent runs on '$1'"
      start_agent "$1"
      ;;
    stop) signal_agent "$1" TERM ;;
    kill) signal_agent "$1" KILL ;;
    restart)
      signal_agent "$1" TERM
      start_agent "$1"
      ;;
    *) fail "agent: no verb '$2'; it has start, stop, kill, restart" ;;
  esac
  say "agent of '$1': $2 done"
}
