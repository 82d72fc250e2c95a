/** Where the servers of a group stand, in the words of their own products: what an administrator compares before and after a move. */
import { type Coordinates, coordinatesInWords } from "./coordinates.ts";
import type { ChannelFacts, MemberFacts } from "./member.ts";
import { atLeast, type ServerVersion, versionInWords } from "./version.ts";

export interface PositionLine {
  /** The server's own name of it: `Relay_Master_Log_File:Exec_Master_Log_Pos`. */
  readonly name: string;
  readonly value: string;
}

export interface ChannelPositions {
  readonly channel: string;
  readonly source: string;
  readonly io: ChannelFacts["io"];
  readonly sql: ChannelFacts["sql"];
  /** Seconds; null when the server does not say. */
  readonly lag: number | null;
  /** Everything received is executed; null when the server does not say. */
  readonly drained: boolean | null;
  readonly lines: readonly PositionLine[];
}

export interface ServerPositions {
  readonly address: string;
  readonly own: boolean;
  /** Why it cannot be asked; null when it answers. */
  readonly trouble: string | null;
  readonly version: string | null;
  /** The variable that closes it for writes; null: open, or not asked. */
  readonly closedBy: string | null;
  readonly lines: readonly PositionLine[];
  readonly channels: readonly ChannelPositions[];
}

export function positionsOf(address: string, own: boolean, facts: MemberFacts): ServerPositions {
  const { version, end, gtids, channels } = facts;
  const gtid =
    gtids.product === "mariadb"
      ? [
          { name: "gtid_binlog_pos", value: gtids.position },
          { name: "gtid_slave_pos", value: gtids.slavePos },
        ]
      : [{ name: "Executed_Gtid_Set", value: gtids.executed }];
  return {
    address,
    own,
    trouble: null,
    version: versionInWords(version),
    closedBy: facts.closedBy,
    lines: [{ name: "File:Position", value: inWords(end) }, ...gtid.filter(({ value }) => value !== "")],
    channels: channels.map((channel) => channelPositions(channel, version)),
  };
}

export const unreachablePositions = (address: string, own: boolean, trouble: string): ServerPositions => ({
  address,
  own,
  trouble,
  version: null,
  closedBy: null,
  lines: [],
  channels: [],
});

function channelPositions(one: ChannelFacts, version: ServerVersion): ChannelPositions {
  const word = version.product === "mysql" && atLeast(version, 8, 0, 22) ? "Source" : "Master";
  const { channel, source, io, sql, lag, drained } = one;
  return {
    channel,
    source,
    io,
    sql,
    lag,
    drained,
    lines: [
      { name: `${word}_Log_File:Read_${word}_Log_Pos`, value: inWords(one.received) },
      { name: `Relay_${word}_Log_File:Exec_${word}_Log_Pos`, value: inWords(one.executed) },
    ],
  };
}

const inWords = (at: Coordinates | null): string => (at === null ? "none" : coordinatesInWords(at));
