/** `peer_link { }`: half a block is no block, because a link that nobody can prove himself on is none. */
import { err, ok, type Result } from "../lib/result.ts";
import { seconds } from "../lib/units.ts";
import { PEER_LINK_PORT, type PeerLinkConfig, type PeerPlace, placeInWords } from "../peer-link/config.ts";
import { type KeyContext, readKeys } from "./compile-keys.ts";
import { type Problem, readPlace } from "./compile-place.ts";
import { readSettings, type Settings } from "./settings.ts";
import type { Node } from "./tree.ts";

const REMEDY =
  "write listen ADDRESS, peer ADDRESS, key ID file:/PATH (32 to 64 bytes; openssl rand -hex 32) and active_key ID; see docs/operators-guide.md";

/** Null without the block, and where it cannot be used: that is reported. */
export function compilePeerLink(nodes: readonly Node[], { source, diagnostics }: KeyContext): PeerLinkConfig | null {
  const [node, second] = nodes;
  if (node === undefined) return null;
  if (second !== undefined) {
    const message = `peer_link is already defined in line ${node.span.line}; this one is left out`;
    diagnostics.report("duplicate-name", second.span, message, "write all peers into one block");
  }
  const settings = readSettings(node.block ?? [], "peer_link", diagnostics);
  const keys = readKeys(settings, "peer_link", node, { source, diagnostics });
  const places = keys.ok ? readPlaces(settings, node) : keys;
  if (!keys.ok || !places.ok) {
    const { span, why } = keys.ok ? (places as { readonly error: Problem }).error : keys.error;
    diagnostics.report("peer-link-unusable", span, `there is no peer link: ${why}`, REMEDY);
    return null;
  }
  return {
    ...places.value,
    ...keys.value,
    interval: settings.duration("interval") ?? seconds(1),
    timeout: settings.duration("timeout") ?? seconds(1),
  };
}

function readPlaces(settings: Settings, node: Node): Result<Pick<PeerLinkConfig, "listen" | "peers">, Problem> {
  const own = settings.node("listen");
  if (own === null) return err({ span: node.span, why: "it does not say where to listen" });
  const listen = readPlace(own, PEER_LINK_PORT);
  if (!listen.ok) return listen;
  const peers: PeerPlace[] = [];
  for (const line of settings.nodes("peer")) {
    const peer = readPlace(line, PEER_LINK_PORT);
    if (!peer.ok) return peer;
    if (peer.value.address === listen.value.address) {
      return err({ span: line.span, why: `peer ${peer.value.address} is this host's own listen address` });
    }
    if (peers.some(({ address }) => address === peer.value.address)) {
      return err({ span: line.span, why: `peer ${placeInWords(peer.value)} is given twice` });
    }
    peers.push(peer.value);
  }
  if (peers.length === 0) return err({ span: node.span, why: "it names no peer" });
  return ok({ listen: listen.value, peers });
}
