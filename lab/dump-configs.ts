/**
 * Configurations whose dumps are compared with keepalived's. Each reaches 10.9.0.100 or 10.8.0.100, which tells that the election is over.
 * A title that names IPv6 gets a network that has it.
 */

import { SECTION_CONFIGS } from "./dump-section-configs.ts";

export const DUMP_CONFIGS: Readonly<Record<string, string>> = {
  "version 2 with PASS and a check": `
global_defs {
  router_id db1
  script_user root
  vrrp_higher_prio_send_advert off
  vrrp_garp_master_delay 2
}
vrrp_script chk {
  script "/usr/bin/true"
  interval 2
  weight -20
}
vrrp_instance VI_1 {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority 100
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass 1111
  }
  virtual_ipaddress {
    10.9.0.100/24
    10.9.0.101/32 label eth0:x
  }
  virtual_ipaddress_excluded {
    10.9.0.102
  }
  track_script {
    chk
  }
  track_interface {
    eth1 weight 5
  }
  notify "/usr/bin/true argument"
}`,
  "version 3, unicast, several hooks": `
global_defs {
  router_id db1
  script_user root
  vrrp_higher_prio_send_advert off
  enable_script_security
  vrrp_version 3
}
vrrp_instance VI_2 {
  state BACKUP
  interface eth1
  virtual_router_id 52
  priority 200
  nopreempt
  advert_int 0.3
  unicast_src_ip 10.8.0.1
  unicast_peer {
    10.8.0.2
  }
  virtual_ipaddress {
    10.8.0.100/28 brd 10.8.0.111 scope link
  }
  notify_master /usr/bin/true
  notify_backup /usr/bin/true
  notify_fault /usr/bin/true
  notify_stop /usr/bin/true
  garp_master_refresh 10
  down_timer_adverts 5
}`,
  "two instances, one of them in FAULT": `
global_defs {
  router_id db1
  script_user root
  vrrp_higher_prio_send_advert off
}
vrrp_script bad {
  script "/usr/bin/false"
  interval 1
  fall 2
  rise 3
}
vrrp_instance VI_1 {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority 100
  virtual_ipaddress {
    10.9.0.100
  }
  track_script {
    bad
  }
}
vrrp_instance VI_2 {
  state BACKUP
  interface eth1
  virtual_router_id 52
  priority 120
  dont_track_primary
  virtual_ipaddress {
    10.8.0.100
  }
}`,
  ...SECTION_CONFIGS,
};
