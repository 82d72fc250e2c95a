/** What a daemon answers its peers, each kind of question by its handler. */
import type { PeerAnswer, PeerAsk, PeerQuestionKind } from "../../core/peer-link/questions.ts";
import type { Answerable, Answers } from "../keyed-link/answering.ts";
import { QUESTIONS } from "./schemas.ts";

/** May take its time up to the limit, and may reject: the peer hears `failed` with the message. */
export type PeerHandlers = {
  readonly [K in PeerQuestionKind]: (question: PeerAsk<K>) => Promise<PeerAnswer<K>> | PeerAnswer<K>;
};

export function answersOf(handlers: PeerHandlers): Answers {
  const kinds = Object.keys(QUESTIONS) as readonly PeerQuestionKind[];
  return Object.fromEntries(
    kinds.map((kind): [string, Answerable] => {
      const { ask } = QUESTIONS[kind];
      return [kind, { ask, answer: handlers[kind] as Answerable["answer"] }];
    }),
  );
}
