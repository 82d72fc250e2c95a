/** Events of the quorum store: whether it answers, and who has the record of a managed group. */

export interface QuorumEventBody {
  readonly kind: "quorum-store";
  /** Null: it is about the store itself. */
  readonly instance: string | null;
  /** Of the record: "mysql/orders". */
  readonly group: string | null;
  readonly action:
    | "reached"
    | "unreachable"
    /** The record is this daemon's. */
    | "granted"
    | "released"
    /** Another daemon has it, although this one served. */
    | "taken"
    /** The policy lets it go on without the store. */
    | "without"
    /** An operator lets the next claim go on without the store, which does not answer. */
    | "ordered"
    /** It does so now. */
    | "overridden"
    /** The record could not be renewed in time: the policy lets the address go. */
    | "expiring";
  readonly epoch: number | null;
  /** Empty, or why. */
  readonly detail: string;
}

const KINDS: ReadonlySet<string> = new Set<QuorumEventBody["kind"]>(["quorum-store"]);

export const isQuorumEvent = (body: { readonly kind: string }): body is QuorumEventBody => KINDS.has(body.kind);
