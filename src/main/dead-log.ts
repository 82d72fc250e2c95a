/** Both ends of the question for a dead server's binary log: who asks the daemons of the peers, and what this one answers. */

import { err, ok, type Result } from "../core/lib/result.ts";
import { homeNote, parseHome } from "../core/mysql/home.ts";
import type { PeerAnswer, PeerAsk } from "../core/peer-link/questions.ts";
import { readDeadLog } from "../linux/dead-log.ts";
import type { Notes } from "../ports/notes.ts";
import type { PeerLink } from "../ports/peer-link.ts";
import type { TailKeepers, TailPiece } from "../ports/tail.ts";

export function tailKeepers(link: Pick<PeerLink, "peers" | "ask">): TailKeepers {
  return {
    async ask(question, timeoutMillis) {
      const peers = link.peers();
      if (peers.length === 0) return err("without `peer_link` no daemon can be asked for the log");
      const reached = peers.filter(({ connected }) => connected);
      if (reached.length === 0) return err("no daemon of a peer is reached over the peer link");
      const answers = await Promise.all(
        reached.map(async ({ place }): Promise<Result<TailPiece, string>> => {
          const answer = await link.ask(place, "dead-log", question, timeoutMillis);
          if (!answer.ok) return err(`the daemon on ${place.address} does not give the log: ${answer.error.detail}`);
          const { data, size, next } = answer.value;
          return ok({ data: new Uint8Array(Buffer.from(data, "base64")), size, next });
        }),
      );
      return answers.find((one) => one.ok) ?? answers[0] ?? err("nobody has answered");
    },
  };
}

/** Rejects where there is no answer: the peer hears why. */
export async function answerDeadLog(records: Notes, ask: PeerAsk<"dead-log">): Promise<PeerAnswer<"dead-log">> {
  const home = parseHome(await records.read(homeNote(ask.group)));
  if (home === null) throw new Error(`this host manages no server of mysql ${ask.group} with a binary log of its own`);
  if (home.serverId !== ask.serverId) throw new Error(`the server here has server_id ${home.serverId}`);
  const piece = await readDeadLog(home, ask);
  if (!piece.ok) throw new Error(piece.error);
  const { data, size, next } = piece.value;
  return { data: Buffer.from(data).toString("base64"), size, next };
}
