// `holdfast doctor` on hosts where the fault is planted: what keeps adverts from their way is named with the command that mends it.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { HostDoctorReply } from "../src/control/contract/types.ts";
import type { Daemon } from "../src/lab/daemon.ts";
import { type LabHost, VIP } from "../src/lab/lab.ts";
import { HOLDFAST_PROGRAM } from "../src/lab/paths.ts";
import { until } from "../src/lab/processes.ts";
import { GLOBALS, instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { holdfast, instanceOf, instanceWhen, statusOf } from "./holdfast-client.ts";
import { describeStages, type Stage } from "./stage.ts";

const OTHER = VIP.replace(/\d+$/, "201");

interface Told {
  readonly code: number | null;
  readonly reply: HostDoctorReply;
  readonly ids: readonly string[];
  /** What the finding of that kind says, and how it is mended. */
  readonly of: (id: string) => HostDoctorReply["findings"][number] | undefined;
}

/** A little over three intervals of 0.2 s. */
const LISTEN = ["--listen", "1"] as const;

function told({ code, stdout, stderr }: { code: number | null; stdout: string; stderr: string }): Told {
  if (!stdout.startsWith("{")) throw new Error(`doctor said ${stdout}${stderr}`);
  const reply = JSON.parse(stdout) as HostDoctorReply;
  return {
    code,
    reply,
    ids: reply.findings.map(({ id }) => id),
    of: (id) => reply.findings.find((one) => one.id === id),
  };
}

const doctor = async (daemon: Daemon): Promise<Told> => told(await holdfast(daemon, "doctor", "--json", ...LISTEN));

let files = 0;

/** Without a daemon, or without its socket: by the file alone. */
async function doctorBy(host: LabHost, config: string): Promise<Told> {
  return told(await runDoctor(host, config));
}

function runDoctor(host: LabHost, config: string) {
  files += 1;
  const file = join(host.directory, `doctor${files}.conf`);
  writeFileSync(file, GLOBALS + config);
  const words = ["doctor", "--json", "-f", file, "-p", join(host.directory, "none.pid"), ...LISTEN];
  return host.exec([process.execPath, HOLDFAST_PROGRAM, ...words]);
}

function peerLink(stage: Stage, [own, peer]: readonly [string, string], key: string): string {
  const file = join(stage.host(own).directory, "peer.key");
  writeFileSync(file, `hex:${key}\n`, { mode: 0o600 });
  const lines = [`listen ${stage.host(own).address}`, `peer ${stage.host(peer).address}`, `key 1 file:${file}`];
  return `peer_link {\n${[...lines, "active_key 1"].map((line) => `    ${line}\n`).join("")}}\n`;
}

async function pair(stage: Stage): Promise<readonly [Daemon, Daemon]> {
  const a = stage.start("db1", instanceBlock({ priority: 150 }));
  await stage.held("db1", true);
  const b = stage.start("db2", instanceBlock({ priority: 100 }));
  await instanceWhen(b, "VI_1", ({ state }) => state === "BACKUP");
  return [a, b];
}

const nft = (host: LabHost, ...words: readonly string[]) => host.execOrThrow(["nft", ...words]);

/** What is about the network of the lab; what a host's own programs and disks are like differs from machine to machine. */
const aboutAdverts = ({ ids }: Told) => ids.filter((id) => /^(advert|firewall|two|vrid|vip|rp)-/.test(id));

const aboutAddress = ({ reply }: Told) =>
  reply.unseen.find(({ what }) => what === `whether ${VIP} is left over on eth0`)?.why;

/** With the daemon, and not by its file. */
async function withOtherFile(daemon: Daemon, config: string): Promise<Told> {
  files += 1;
  const file = join(daemon.host.directory, `doctor${files}.conf`);
  writeFileSync(file, GLOBALS + config);
  return told(await holdfast(daemon, "doctor", "--json", "-f", file, ...LISTEN));
}

/** Input is filtered in a table of its own, which goes when the test ends. */
async function filtered(host: LabHost, rules: readonly string[], body: () => Promise<void>): Promise<void> {
  for (const rule of ["add table inet blocks", ...rules]) await nft(host, ...rule.split(" "));
  try {
    await body();
  } finally {
    await nft(host, "delete", "table", "inet", "blocks");
  }
}

const hook = (name: string, policy = "accept") =>
  `add chain inet blocks ${name} { type filter hook ${name} priority 0 ; policy ${policy} ; }`;

describeStages("doctor", {
  "a packet filter on the way in": (stage) => {
    test.sequential("a whole pair has nothing to tell of its adverts; the standby's rule that drops them is named, and its remedy works", async () => {
      const [a, b] = await pair(stage);
      const [wholeA, wholeB] = await Promise.all([doctor(a), doctor(b)]);
      expect([aboutAdverts(wholeA), aboutAdverts(wholeB)]).toEqual([[], []]);
      expect(wholeA.reply.listened?.routers[0]).toMatchObject({ instance: "VI_1", heard: [] });
      expect(wholeA.reply.listened?.routers[0]?.sent).toBeGreaterThan(1);
      const source = stage.host("db1").address;
      expect(wholeB.reply.listened?.routers[0]).toMatchObject({
        sent: 0,
        heard: [{ source, priority: 150, refused: null }],
      });

      const host = stage.host("db2");
      const rules = [
        hook("input"),
        "add rule inet blocks input meta l4proto tcp accept",
        "add rule inet blocks input ip protocol 112 drop",
      ];
      await filtered(host, rules, async () => {
        await stage.held("db2", true);
        const deaf = await doctor(b);
        expect(deaf.code).toBe(1);
        expect(aboutAdverts(deaf)).toEqual(expect.arrayContaining(["firewall-in", "advert-blocked-in", "two-masters"]));
        expect(deaf.of("firewall-in")?.what).toMatch(
          /^rule 2 \(handle \d+\) of chain inet blocks input: `ip protocol (112|vrrp) drop` drops incoming adverts \(IP protocol 112\)$/,
        );
        const [command = ""] = deaf.of("firewall-in")?.fix.split(";") ?? [];
        await host.execOrThrow(command.split(" "));
        await stage.held("db2", false);
        expect(aboutAdverts(await doctor(b))).toEqual([]);
      });
    });
  },
  "a packet filter on the way out": (stage) => {
    test.sequential("a master whose adverts are dropped on their way out is told by its own doctor, policies included", async () => {
      const [a] = await pair(stage);
      await filtered(
        stage.host("db1"),
        [hook("output", "drop"), "add rule inet blocks output meta l4proto tcp accept"],
        async () => {
          const mute = await doctor(a);
          expect(aboutAdverts(mute)).toEqual(expect.arrayContaining(["advert-blocked-out", "firewall-out"]));
          expect(mute.of("firewall-out")).toMatchObject({
            what: "the policy of chain inet blocks output drops outgoing adverts (IP protocol 112)",
            fix: expect.stringContaining("nft add rule inet blocks output meta l4proto 112 accept"),
          });
        },
      );
    });
  },
  "what is on the wire": (stage) => {
    test.sequential("without a daemon, by the file: who is heard, another version, list, router id, and nobody", async () => {
      const as = (changes: Parameters<typeof instanceBlock>[0]) =>
        instanceBlock({ version: 2, advertSeconds: 1, ...changes });
      const master = stage.start("db1", instanceBlock({ priority: 150 }));
      await stage.held("db1", true);
      const host = stage.host("db2");
      const [sending, living, renamed, elsewhere] = [
        doctorBy(stage.host("db1"), instanceBlock({ priority: 150 })),
        doctorBy(stage.host("db1"), instanceBlock({ virtualRouterId: 61 })),
        withOtherFile(master, instanceBlock({ virtualRouterId: 61 }).replace("VI_1", "VI_9")),
        runDoctor(host, `net_namespace red\n${instanceBlock({ priority: 100 })}`),
      ];
      const [same, version, vrid, list, other] = await Promise.all([
        doctorBy(host, instanceBlock({ priority: 100 })),
        doctorBy(host, as({ priority: 100 })),
        doctorBy(host, instanceBlock({ virtualRouterId: 52 })),
        doctorBy(
          host,
          instanceBlock({ lines: ["virtual_ipaddress_excluded {", "    192.0.2.77", "}"], vip: "192.0.2.78" }),
        ),
        doctorBy(host, instanceBlock({ virtualRouterId: 60, vip: "192.0.2.79" })),
      ]);
      expect(aboutAdverts(same)).toEqual([]);
      expect(same.ids).toContain("daemon-absent");
      expect(version.of("advert-refused")?.what).toContain("VRRP version 3, ours is 2");
      expect(vrid.of("vrid-differs")?.what).toContain("with virtual_router_id 51; this host's file says 52");
      expect(list.of("vrid-shared")?.what).toContain("uses virtual_router_id 51 for");
      expect(other.of("advert-none")?.what).toMatch(/^no advert of virtual router 60 on eth0 was heard in 1 s/);
      expect([same.code, version.code, vrid.code, list.code, other.code]).toEqual([1, 1, 1, 1, 1]);

      // On the master, with a socket that is not the daemon's and with another file: its address is not to be taken away.
      for (const one of [await sending, await living, await renamed])
        expect(one.ids.filter((id) => ["vip-left-over", "daemon-absent"].includes(id))).toEqual([]);
      expect([aboutAddress(await sending), aboutAddress(await living), aboutAddress(await renamed)]).toEqual([
        "adverts of its virtual router left this host while doctor listened",
        expect.stringMatching(/^a holdfast runs \(pid \d+\)/),
        "the daemon that answers has no instance VI_9",
      ]);
      expect((await elsewhere).stderr).toContain("ip netns exec red holdfast doctor -f ");
      expect((await elsewhere).code).toBe(1);
    });
  },
  "what the kernel and the link have": (stage) => {
    test.sequential("without a daemon: a sender that rp_filter takes for forged, an address left over and held twice, settings", async () => {
      const [sender, host, client] = [stage.host("db1"), stage.host("db2"), stage.host("client")];
      stage.start(
        "db1",
        instanceBlock({ priority: 150, virtualRouterId: 60, vip: OTHER, lines: ["mcast_src_ip 198.51.100.9"] }),
      );
      await stage.held("db1", true, { vip: OTHER });
      await host.execOrThrow(["sysctl", "-qw", "net.ipv4.conf.eth0.rp_filter=1", "net.ipv4.conf.eth0.arp_filter=1"]);
      await host.execOrThrow(["ip", "route", "add", "198.51.100.0/24", "dev", "lo"]);
      for (const one of [host, client]) await one.execOrThrow(["ip", "addr", "add", `${VIP}/32`, "dev", "eth0"]);
      const [forged, left] = await Promise.all([
        doctorBy(host, instanceBlock({ virtualRouterId: 60, vip: OTHER })),
        doctorBy(host, instanceBlock({ virtualRouterId: 61 })),
      ]);
      expect(aboutAdverts(forged)).toEqual(["advert-blocked-in", "rp-filter"]);
      expect(forged.of("advert-blocked-in")?.what).toContain("adverts of 198.51.100.9 for virtual router 60");
      expect(forged.of("rp-filter")?.fix).toContain("net.ipv4.conf.eth0.rp_filter=2");
      expect(forged.ids).toContain("arp-filter");
      expect(left.of("vip-left-over")).toMatchObject({ server: "VI_1", fix: `ip addr del ${VIP}/32 dev eth0` });
      expect(left.of("vip-twice")?.what).toContain("beside this host");
      const [command = ""] = left.of("vip-left-over")?.fix.split(";") ?? [];
      await host.execOrThrow(command.split(" "));
      expect(await host.holds(VIP)).toBe(false);
      expect(await sender.holds(OTHER)).toBe(true);
    });
  },
  "a test with the peer": (stage) => {
    test.sequential("the peer confirms test adverts and no election notices them; its rule and one of this host are told apart", async () => {
      const key = randomBytes(32).toString("hex");
      const a = stage.start("db1", peerLink(stage, ["db1", "db2"], key) + instanceBlock({ priority: 150 }));
      await stage.held("db1", true);
      const b = stage.start("db2", peerLink(stage, ["db2", "db1"], key) + instanceBlock({ priority: 100 }));
      const linked = async () => (await statusOf(a))?.peers[0]?.instances[0]?.state === "BACKUP" || undefined;
      await until(linked, "db1 knows that db2 is BACKUP", 20_000);
      const standby = await instanceWhen(b, "VI_1", ({ state }) => state === "BACKUP");
      const whole = await doctor(a);
      const after = await instanceOf(b, "VI_1");
      expect(whole.ids).not.toContain("peer-deaf");
      expect(whole.reply.unseen.filter(({ what }) => /^whether (this host's )?adverts/.test(what))).toEqual([]);
      expect([after?.state, after?.counters.drops]).toEqual(["BACKUP", standby.counters.drops]);

      const rule = (chain: string) => `add rule inet blocks ${chain} ip protocol 112 drop`;
      await filtered(stage.host("db2"), [hook("input"), rule("input")], async () => {
        const { of } = await doctor(a);
        expect(of("peer-deaf")).toMatchObject({ server: "VI_1" });
        expect(of("peer-deaf")?.what).toMatch(
          /^test adverts arrive at eth0 of \S+:8112, and that host gives them to no program$/,
        );
      });
      await filtered(stage.host("db2"), [hook("output"), rule("output")], async () => {
        const { of } = await doctor(b);
        expect(of("peer-deaf")?.what).toMatch(/^a test advert for \S+:8112 cannot be sent: EPERM$/);
        expect(of("firewall-out")?.what).toContain("chain inet blocks output");
      });
    });
  },
});
