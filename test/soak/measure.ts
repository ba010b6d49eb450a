import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import type { Installation } from "../faults/installation.ts";
import { until } from "../support/until.ts";

const MIB = 2 ** 20;

/** A process after garbage collection: heap and resident memory in MiB, open files and sockets. */
export type Held = { heap: number; resident: number; files: number };

/** Measures each gateway and worker, by name. */
export async function heldBy({ parts }: Installation, folder: string) {
  const ours = parts.filter(({ name }) => /^(gateway|worker)-/.test(name));
  const held = await Promise.all(
    ours.map(async ({ name, pid }): Promise<[string, Held]> => {
      const file = join(folder, `${pid()}.json`);
      rmSync(file, { force: true });
      process.kill(pid(), "SIGUSR2");
      await until(async () => existsSync(file), Boolean);
      const { heapUsed, external, rss } = JSON.parse(readFileSync(file, "utf8"));
      const files = readdirSync(`/proc/${pid()}/fd`).length;
      return [name, { heap: (heapUsed + external) / MIB, resident: rss / MIB, files }];
    }),
  );
  return Object.fromEntries(held);
}

/** The growth for each unit of `x`: the slope by least squares. */
export function slope(points: readonly { x: number; y: number }[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map((point) => point.x)), mean(points.map((point) => point.y))];
  const over = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0);
  return over / points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
}

/** The Redis keys without an expiry, counted by kind. */
export async function keysThatStay({ redis }: Installation) {
  const counts: Record<string, number> = {};
  for (const key of await redis.keys("*")) {
    if ((await redis.pTTL(key)) !== -1) continue;
    const kind = key.replace(/^mfa:\{[^}]*\}:/, "").replace(/:.*/, "");
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** The number of connections at each store. */
export async function connections({ db, redis }: Installation) {
  const { rows } = await db.execute<{ count: string }>(
    sql`select count(*) from pg_stat_activity where backend_type = 'client backend'`,
  );
  return {
    postgresql: Number(rows[0]?.count),
    redis: (await redis.clientList()).length,
  };
}

/** The number of running flows. */
export async function runningFlows({ temporal }: Installation): Promise<number> {
  return (await temporal.workflow.count(`ExecutionStatus = 'Running'`)).count;
}
