# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# With --raw --conntrackd: what operators put beside keepalived today. conntrackd (FTFW over the wire
# between the nodes, buffers as large as its backlog may grow) and the script that keepalived calls,
# which commits what was received when its node becomes master.

readonly CONNTRACKD_SOCKET=/run/conntrackd.ctl

render_conntrackd() {
  local number peer_number
  number=$(number_of "$1")
  peer_number=$(number_of "$(peer_of "$1")")
  cat <<CONF
Sync {
  Mode FTFW {
    ResendQueueSize 131072
    ACKWindowSize 300
  }
  UDP {
    IPv4_address 10.30.0.$number
    IPv4_Destination_Address 10.30.0.$peer_number
    Port 3780
    Interface wire
    SndSocketBuffer 16777216
    RcvSocketBuffer 16777216
    Checksum on
  }
}
General {
  Systemd off
  HashSize 262144
  HashLimit 2097152
  LogFile /var/log/zcluster/conntrackd.log
  Syslog off
  LockFile /run/conntrackd.lock
  UNIX {
    Path $CONNTRACKD_SOCKET
  }
  NetlinkBufferSize 67108864
  NetlinkBufferSizeMaxGrowth 134217728
  Filter From Kernelspace {
    Protocol Accept {
      TCP
      UDP
    }
    Address Ignore {
      IPv4_address 127.0.0.1
      IPv4_address 10.10.0.$number
      IPv4_address 10.10.0.$peer_number
      IPv4_address 10.30.0.$number
      IPv4_address 10.30.0.$peer_number
    }
  }
}
CONF
}

# What keepalived calls at each transition: commit, then begin anew with what the kernel has; or ask
# the new master for all of it.
render_conntrackd_notify() {
  cat <<'SCRIPT'
#!/bin/sh
c() { conntrackd -C /etc/zcluster/conntrackd.conf "$@"; }
case $1 in
  primary) c -c; c -f; c -R; c -B ;;
  backup) c -t; c -n ;;
  fault) c -t ;;
esac
SCRIPT
}

# The lines of keepalived's instance that call it.
render_notify_lines() {
  cat <<'CONF'
  notify_master "/etc/zcluster/primary-backup.sh primary"
  notify_backup "/etc/zcluster/primary-backup.sh backup"
  notify_fault "/etc/zcluster/primary-backup.sh fault"
CONF
}

write_conntrackd_files() {
  local etc=$STATE/$1/etc/zcluster
  render_conntrackd "$1" >"$etc/conntrackd.conf"
  render_conntrackd_notify >"$etc/primary-backup.sh"
  chmod 0755 "$etc/primary-backup.sh"
}

conntrackd_ctl() {
  local node=$1
  shift
  in_machine "$node" conntrackd -C /etc/zcluster/conntrackd.conf "$@"
}

conntrackd_answers() { conntrackd_ctl "$1" -s >/dev/null 2>&1; }

# Outlives keepalived's restarts, as a service of its own does.
start_conntrackd() {
  ! conntrackd_answers "$1" || return 0
  in_machine "$1" rm -f /run/conntrackd.lock "$CONNTRACKD_SOCKET"
  in_machine "$1" sysctl -qw net.netfilter.nf_conntrack_events=1
  spawn "$1" /var/log/zcluster/conntrackd.log conntrackd -C /etc/zcluster/conntrackd.conf
  wait_for 10 "conntrackd of '$1' to answer" conntrackd_answers "$1" || fail "conntrackd: $(tail -n 3 "$STATE/$1/log/zcluster/conntrackd.log")"
}

# conntrackd_holds NODE CACHE: how many connections its internal or external cache has.
conntrackd_holds() {
  conntrackd_ctl "$1" -s | awk -v cache="cache $2:" '$0 == cache { found = 1 } found && /current active connections/ { print $NF; exit }'
}
