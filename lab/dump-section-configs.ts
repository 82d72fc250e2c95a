/** For dump-configs.ts: the sections that need more than an instance, one topic each. */

export const SECTION_CONFIGS: Readonly<Record<string, string>> = {
  "sync groups and everything that is tracked": `
global_defs {
  router_id db1
  script_user root
  vrrp_higher_prio_send_advert off
  vrrp_garp_master_delay 2
  vrrp_garp_interval 0.001
  vrrp_notify_priority_changes on
  notify_fifo /run/fifo1 daemon adm
  vrrp_notify_fifo /run/fifo2
  notification_email {
    a@example.com
    b@example.com
  }
  notification_email_from k@example.com
  smtp_server 10.9.0.9 25
  smtp_helo_name host.example
  smtp_connect_timeout 7
  smtp_alert off
  log_unknown_vrids
}
track_file number {
  file /run/number
  weight 2
}
track_file against {
  file /run/number
  weight 3 reverse
}
track_file nobody {
  file /run/number
}
vrrp_track_process simple {
  process no-such-program
  weight 4
  delay 1
}
vrrp_track_process parameters {
  process no-such-program first second
  param_match initial
  weight 5 reverse
  quorum 2
  quorum_max 3
  terminate_delay 2
  fork_delay 0.5
}
vrrp_track_process unused {
  process no-such-program
  weight 6
  full_command
}
vrrp_script good {
  script "/usr/bin/true"
  interval 2
  timeout 1
  weight 4
  user daemon
}
vrrp_script group {
  script "/usr/bin/true x y"
  weight 7
  rise 2
  fall 3
}
vrrp_script forgotten {
  script "/usr/bin/true"
}
garp_group {
  garp_interval 0.002
  gna_interval 0.003
  interfaces {
    eth1
  }
}
interface_up_down_delays {
  eth0 0.5 0.25
}
vrrp_sync_group G1 {
  group {
    VI_1
    VI_2
  }
  track_script {
    group
  }
  track_interface {
    lo weight 3
  }
  track_file {
    number weight 1
  }
  track_process {
    simple weight 2
  }
  notify_master /usr/bin/true
  notify_backup "/usr/bin/true b"
  notify_fault /usr/bin/true
  notify_stop /usr/bin/true
  notify "/usr/bin/true c"
  smtp_alert
  notify_priority_changes on
  sync_group_tracking_weight
}
vrrp_sync_group G2 {
  group {
    VI_3
    VI_4
  }
}
vrrp_instance VI_1 {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority 100
  virtual_ipaddress {
    10.9.0.100/24
  }
  track_script {
    good
  }
  track_interface {
    eth1 weight 5
  }
  track_file {
    against
  }
  track_process {
    parameters weight 3
  }
}
vrrp_instance VI_2 {
  state BACKUP
  interface eth1
  virtual_router_id 52
  priority 100
  nopreempt
  smtp_alert
  debug 1
  skip_check_adv_addr
  virtual_ipaddress {
    10.8.0.100/24
  }
  notify_master_rx_lower_pri /usr/bin/true
  notify_deleted
}
vrrp_instance VI_3 {
  state BACKUP
  interface eth0
  virtual_router_id 53
  priority 150
  promote_secondaries
  kernel_rx_buf_size 90000
  virtual_ipaddress {
    10.9.0.110
  }
}
vrrp_instance VI_4 {
  state BACKUP
  interface eth1
  virtual_router_id 54
  priority 150
  unicast_src_ip 10.8.0.1
  unicast_peer {
    10.8.0.2 min_ttl 5 max_ttl 64
    10.8.0.3
  }
  unicast_fault_no_peer
  virtual_ipaddress {
    10.8.0.110
  }
}`,
  "static and virtual addresses, routes and rules": `
global_defs {
  router_id db1
  script_user root
  vrrp_higher_prio_send_advert off
  nftables other
  nftables_counters
}
static_ipaddress {
  10.9.0.50/24 dev eth0 scope global
  10.9.0.51/32 dev eth1 label eth1:s no_track
  10.9.0.52/24 brd + dev eth0 label eth0:q noprefixroute
}
static_routes {
  10.40.0.0/16 via 10.9.0.9 dev eth0 metric 5
  blackhole 10.41.0.0/16
  10.42.0.0/16 dev eth0 table 100
  10.43.0.0/16 via 10.9.0.9 dev eth0 tos 8 advmss 1000 window 5 rtt 300 quickack 1 congctl cubic initcwnd 5 hoplimit 9 append
  10.44.0.0/16 via 10.9.0.9 dev eth0 onlink
  10.45.0.0/16 dev eth0 mtu lock 1400 features ecn
}
track_group TG {
  group {
    VI_1
  }
}
static_rules {
  from 10.9.0.0/24 table 100 priority 200
  to 10.7.0.0/24 lookup main priority 201 no_track
  unreachable to 10.6.0.0/24 priority 202
  from 10.6.1.0/24 table 7 priority 203 fwmark 3/7 uidrange 5-7 ipproto tcp sport 10-20 suppress_prefixlength 3
  not from 10.6.2.0/24 iif eth0 oif eth1 table 9 priority 205 tos 0x8
}
vrrp_instance VI_1 {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority 100
  no_accept
  virtual_ipaddress {
    10.9.0.100/24 noprefixroute
    10.9.0.101 peer 10.9.0.201
  }
  virtual_ipaddress_excluded {
    10.9.0.102/24
  }
  virtual_routes {
    10.50.0.0/16 via 10.9.0.9 dev eth0 metric 7
    10.51.0.0/16 via 10.9.0.9 dev eth0 table 100 no_track
    src 10.9.0.100 to 10.53.0.0/16 via 10.9.0.9 dev eth0 mtu 1400 scope global
    10.52.0.0/16 nexthop via 10.9.0.9 dev eth0 weight 1 nexthop via 10.9.0.10 dev eth0 weight 2
  }
  virtual_rules {
    from 10.9.0.100 lookup 100 priority 300
    to 10.9.1.0/24 fwmark 0x5 iif eth0 table 101 priority 301
  }
}`,
  "virtual MAC": `
global_defs {
  router_id db1
  script_user root
  vrrp_higher_prio_send_advert off
  vmac_prefix vr
}
vrrp_instance VI_1 {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority 100
  use_vmac
  virtual_ipaddress {
    10.9.0.100/24
  }
}
vrrp_instance VI_2 {
  state BACKUP
  interface eth0
  virtual_router_id 52
  priority 100
  use_vmac named
  vmac_xmit_base
  virtual_ipaddress {
    10.9.0.110/24
  }
}
vrrp_instance VI_3 {
  state BACKUP
  interface eth1
  virtual_router_id 53
  priority 100
  virtual_ipaddress {
    10.8.0.100/24 use_vmac
  }
}`,
  IPv6: `
global_defs {
  router_id db1
  script_user root
  vrrp_higher_prio_send_advert off
  vrrp_strict
  vrrp_version 3
}
static_ipaddress {
  fd00::50/64 dev eth0
}
static_routes {
  fd40::/16 via fd00::9 dev eth0 metric 5
}
static_rules {
  not from fd00::/64 table 100 priority 400
}
vrrp_instance VI_1 {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority 100
  native_ipv6
  virtual_ipaddress {
    fe80::51/128
    fd00::100/64
  }
  virtual_ipaddress_excluded {
    10.9.0.100/24
    fd00::101/64 -nodad preferred_lft 50
  }
  virtual_routes {
    fd50::/16 via fd00::9 dev eth0 metric 7 pref high
  }
}`,
};
