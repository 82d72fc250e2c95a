/** What the page can order: how its plan is asked for, how it is done, and which role it needs. Nothing is ordered without a plan shown. */
import type {
  DrainReply,
  RejoinReply,
  ReloadReply,
  SessionReply,
  SwitchoverReply,
} from "../../control/contract/types.ts";
import type { Api } from "../api.ts";
import { lengthText } from "../model/format.ts";
import type { Words } from "../words/words.ts";

export interface Plan {
  readonly steps: readonly string[];
  /** Why it cannot be done; null: it can. */
  readonly refused: string | null;
}

export interface Order {
  readonly title: string;
  readonly role: SessionReply["role"];
  plan(api: Api): Promise<Plan>;
  /** Resolves with what came of it; an error says why nothing did. */
  carryOut(api: Api): Promise<string>;
}

export function switchover(words: Words, name: string): Order {
  const { actions } = words;
  return {
    title: actions.switchoverOf(name),
    role: "operate",
    async plan(api) {
      const { steps, end } = await api.post<SwitchoverReply>("/v1/mysql/switchover", { name, dryRun: true });
      return { steps, refused: end === "ready" ? null : end };
    },
    async carryOut(api) {
      const reply = await api.post<SwitchoverReply>("/v1/mysql/switchover", { name, dryRun: false });
      if (reply.end !== "moved") throw new Error(reply.end);
      const { closedMillis } = reply;
      return closedMillis === null ? actions.done : `${actions.done} ${actions.closedFor(lengthText(closedMillis))}`;
    },
  };
}

export function drain(words: Words, server: string, service: string, on: boolean): Order {
  const { actions } = words;
  return {
    title: on ? actions.drainOf(server) : actions.undrainOf(server),
    role: "operate",
    plan: async () => ({ steps: [service, on ? actions.drainPlan : actions.undrainPlan], refused: null }),
    async carryOut(api) {
      await api.post<DrainReply>("/v1/lvs/drain", { server, service, drain: on });
      return actions.done;
    },
  };
}

export function reload({ actions }: Words): Order {
  return {
    title: actions.reloadTitle,
    role: "admin",
    async plan(api) {
      const { outcome, changes, detail } = await api.post<ReloadReply>("/v1/reload", { dryRun: true });
      if (outcome === "refused") return { steps: [], refused: detail };
      return { steps: changes.length === 0 ? [actions.nothing] : changes, refused: null };
    },
    async carryOut(api) {
      const { outcome, detail } = await api.post<ReloadReply>("/v1/reload", { dryRun: false });
      if (outcome === "refused") throw new Error(detail);
      return detail === "" ? actions.done : detail;
    },
  };
}

/** Only what loses nothing: what somebody has to take responsibility for is decided on a terminal. */
export function rejoin({ actions }: Words, name: string): Order {
  const ask = (api: Api, dryRun: boolean): Promise<RejoinReply> =>
    api.post<RejoinReply>("/v1/mysql/rejoin", { name, server: null, dryRun, accept: null, reseed: false });
  return {
    title: actions.rejoinOf(name),
    role: "admin",
    async plan(api) {
      const { steps, end, extra } = await ask(api, true);
      if (extra !== null) return { steps, refused: `${end}. ${actions.extra}` };
      return { steps, refused: end === "ready" ? null : end };
    },
    async carryOut(api) {
      const { end, steps } = await ask(api, false);
      if (end !== "whole") throw new Error(end);
      return `${actions.done} ${steps.join("; ")}`;
    },
  };
}
