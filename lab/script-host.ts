/**
 * A host for one shell script: private network, mount, pid and /run, with eth0 (192.0.2.1) and its peer, gone when the script ends.
 * For tests of what the daemon does to and with its host, where the network does not matter.
 */
import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const HOLDFAST = fileURLToPath(new URL("../dist/bundle/holdfast.js", import.meta.url));

const PRELUDE = `
set -u
mount -t tmpfs none /run
ip link set lo up; ip link add eth0 type veth peer name eth1
ip addr add 192.0.2.1/24 dev eth0; ip link set eth0 up; ip link set eth1 up
holds() { ip -4 addr show eth0 | grep -q "192.0.2.50/"; }
said() { grep -q "$1" "$D/log"; }
await() { n=0; until "$@"; do n=$((n+1)); [ $n -lt 300 ] || { echo "never: $*"; cat "$D/log"; exit 1; }; sleep 0.1; done; }
`;

export class ScriptHost {
  readonly folder = mkdtempSync(join(tmpdir(), "holdfast-host-"));

  file(name: string, text: string, mode = 0o755): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  /** $D is the folder, $HOLDFAST the program. Fails with the script's output. */
  async run(script: string): Promise<string> {
    const text = `D=${this.folder}\nHOLDFAST="${process.execPath} ${HOLDFAST}"\n${PRELUDE}\n${script}`;
    const unshare = ["-m", "-n", "-p", "-f", "--mount-proc", "--kill-child", "--propagation", "private"];
    try {
      const { stdout } = await promisify(execFile)("unshare", [...unshare, "bash", "-c", text], { timeout: 110_000 });
      return stdout;
    } catch (error) {
      const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
      throw new Error(`${String(error)}\n${stdout}\n${stderr}`);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
