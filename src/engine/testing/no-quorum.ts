/** No quorum store is configured: nobody opens one. */
import type { DatabaseOptions } from "../databases.ts";

export const NO_QUORUM: DatabaseOptions["quorum"] = {
  port: {
    open: () => {
      throw new Error("no quorum store is configured");
    },
  },
  host: "db1",
  life: "life",
};
