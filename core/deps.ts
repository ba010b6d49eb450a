import type { Logger } from "pino";
import type { Clock, Config } from "../config.ts";
import type { Resolve } from "../providers/webhook/public-addresses.ts";
import type { Db } from "../store/postgres/connect.ts";
import type { Redis } from "../store/redis/connect.ts";
import type { Flows } from "../temporal/flows.ts";

/** What the gateway's functions work with; made once by the entry point, or by a test. */
export type Deps = {
  db: Db;
  /** For what may take long, such as an export: its answers are waited for longer. */
  longReads: Db;
  redis: Redis;
  /** Resolves when PostgreSQL answers. */
  ping(): Promise<void>;
  flows: Flows & { forPages: Flows };
  config: Config;
  clock: Clock;
  log: Logger;
  /** How names of webhooks become addresses: by DNS unless a test knows others. */
  resolve?: Resolve;
};
