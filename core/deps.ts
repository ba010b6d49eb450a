import type { Logger } from "pino";
import type { Clock, Config } from "../config.ts";
import type { Resolve } from "../providers/webhook/public-addresses.ts";
import type { Db } from "../store/postgres/connect.ts";
import type { Redis } from "../store/redis/connect.ts";
import type { Flows } from "../temporal/flows.ts";

/** What the functions in core/ need. The entry point, or a test, makes it once. */
export type CoreDeps = {
  db: Db;
  /** For reads that may take long, such as an export: its queries have a longer timeout. */
  longReads: Db;
  redis: Redis;
  /** Resolves when PostgreSQL answers. */
  ping(): Promise<void>;
  flows: Flows & { forPages: Flows };
  config: Config;
  clock: Clock;
  log: Logger;
  /** Resolves a webhook's host name to addresses. Uses DNS unless a test replaces it. */
  resolve?: Resolve;
};
