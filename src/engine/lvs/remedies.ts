/** What an administrator does when the kernel refuses an order, by order and errno. Decides nothing. */
import type { IpvsOrder, IpvsService } from "../../core/lvs/ipvs/model.ts";

const ALWAYS: Readonly<Record<string, string>> = {
  EPERM: "the daemon needs CAP_NET_ADMIN (run it as root)",
  EACCES: "the daemon needs CAP_NET_ADMIN (run it as root)",
  ENOMEM: "the kernel is short of memory",
  ENOBUFS: "the kernel is short of memory",
};

const OF_SERVERS: Readonly<Record<string, string>> = {
  ESRCH: "its virtual service is not in the kernel's table",
  EINVAL: "the kernel does not forward to this address in this way; look at lvs_method and the address",
  ERANGE: "weight or thresholds are out of range (lthreshold must not exceed uthreshold)",
};

export function remedyFor(order: IpvsOrder, errno: string): string {
  return ALWAYS[errno] ?? ownRemedy(order, errno) ?? "look at the kernel's log (dmesg)";
}

function ownRemedy(order: IpvsOrder, errno: string): string | undefined {
  switch (order.kind) {
    case "add-service":
    case "set-service":
      return serviceRemedy(order.service, errno);
    case "add-destination":
    case "set-destination":
      return OF_SERVERS[errno];
    default:
      return undefined;
  }
}

function serviceRemedy({ scheduler, persistence }: IpvsService, errno: string): string | undefined {
  switch (errno) {
    case "ENOENT": {
      const engine = persistence?.engine ?? null;
      const also = engine === null ? "" : `, or no persistence engine ${engine} (modprobe ip_vs_pe_${engine})`;
      return `the kernel has no scheduler ${scheduler} (modprobe ip_vs_${scheduler})${also}`;
    }
    case "EAFNOSUPPORT":
      return "this kernel's IPVS has no IPv6 (CONFIG_IP_VS_IPV6)";
    case "EINVAL":
      return `scheduler ${scheduler} does not take these settings`;
    default:
      return undefined;
  }
}
