/*
 * The Debian package: control files around the tree, packed by dpkg-deb. Its scripts are packaging/deb.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { CONFFILES, installedKilobytes, makeTree, ROOT } from "./tree.mjs";

/** What the Node that is carried along asks of the host: it is built for glibc 2.28. */
const LIBRARIES = ["libc6 (>= 2.28)", "libgcc-s1", "libstdc++6"];

export function makeDeb({ work, out, version, withNode }) {
  const target = join(work, "deb");
  makeTree(target, { version, withNode });
  const control = join(target, "DEBIAN");
  mkdirSync(control);
  const depends = ["util-linux", ...(withNode ? LIBRARIES : ["nodejs (>= 20.19)", "libc6"])];
  writeFileSync(join(control, "control"), controlFile({ version, depends, size: installedKilobytes(target) }));
  writeFileSync(join(control, "conffiles"), CONFFILES.map((path) => `${path}\n`).join(""));
  writeFileSync(join(control, "md5sums"), sums(target));
  for (const name of ["postinst", "prerm", "postrm"]) cpSync(join(ROOT, "packaging/deb", name), join(control, name));
  const file = join(out, `holdfast_${version}_amd64.deb`);
  execFileSync("dpkg-deb", ["--root-owner-group", "-Zzstd", "-z6", "--build", target, file], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return file;
}

function controlFile({ version, depends, size }) {
  return `Package: holdfast
Version: ${version}
Architecture: amd64
Maintainer: Holdfast <holdfast@localhost>
Installed-Size: ${size}
Depends: ${depends.join(", ")}
Suggests: nftables, iproute2, prometheus
Section: net
Priority: optional
Description: keeps a database's virtual address on a healthy server
 Runs the configuration of keepalived: VRRP, virtual addresses, checks. An
 address is taken only after the database behind it is ready, and given up by
 itself when the daemon is gone. It says why it is in a state and keeps a
 journal. Commands of MHA are there under their names.
`;
}

/** As dpkg --verify wants them: regular files, without control files and configuration. */
function sums(target) {
  const lines = [];
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      const name = relative(target, path);
      if (entry.isDirectory() && name !== "DEBIAN") walk(path);
      else if (entry.isFile() && !CONFFILES.includes(`/${name}`))
        lines.push(`${createHash("md5").update(readFileSync(path)).digest("hex")}  ${name}\n`);
    }
  };
  walk(target);
  return lines.sort().join("");
}
