/** The table of a configuration before any check has run: every server that does not begin with alpha serves. */
import type { HoldfastConfig } from "../../core/config/model.ts";
import { instant } from "../../core/lib/units.ts";
import { beginPool, initialPool } from "../../core/lvs/pool.ts";
import type { WantedTable } from "../../core/lvs/table.ts";
import { wantedServices } from "../../core/lvs/wanted.ts";

const RULES = { initNotifies: false, noCheckerMail: false };

export const freshTable = ({ lvs }: Pick<HoldfastConfig, "lvs">): WantedTable =>
  lvs.servers.flatMap((server) => {
    const { pool } = beginPool(initialPool(server, new Map()), RULES);
    return wantedServices(pool, instant(0));
  });
