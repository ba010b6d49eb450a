import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { freshDatabase } from "../support/databases.ts";
import { limit } from "../support/limits.ts";
import { postgresOverTls } from "../support/postgres-over-tls.ts";
import { ownRedisDatabase } from "../support/redis-database.ts";
import { runToEnd } from "../support/run-to-end.ts";
import { environmentOf } from "../support/stack.ts";
import { startTlsFront } from "../support/tls-front.ts";

vi.setConfig({ testTimeout: limit(60_000) });

let front: Awaited<ReturnType<typeof startTlsFront>>;
let postgres: Awaited<ReturnType<typeof postgresOverTls>>;
let database: Awaited<ReturnType<typeof freshDatabase>>;
let redis: Awaited<ReturnType<typeof ownRedisDatabase>>;
let settings: Record<string, string>;

/** PostgreSQL and Redis over TLS, with a certificate that no public authority has signed. */
beforeAll(async () => {
  redis = await ownRedisDatabase();
  const url = new URL(redis.url);
  front = await startTlsFront(Number(url.port));
  database = await freshDatabase("postgres");
  postgres = await postgresOverTls(new URL(database.url), front);
  const overTls = url.href
    .replace("redis:", "rediss:")
    .replace(url.host, `localhost:${front.port}`);
  const temporal = { address: inject("temporalAddress"), namespace: "default" };
  settings = environmentOf(`${postgres.url}?sslmode=verify-full`, overTls, temporal);
});
afterAll(async () => {
  await postgres.stop();
  await database.drop();
  await redis.giveBack();
  await front.stop();
});

test("with NODE_EXTRA_CA_CERTS, as the chart sets it, both are reached and their certificates checked", async () => {
  const trusting = { ...settings, NODE_EXTRA_CA_CERTS: front.certificate };
  expect(await runToEnd("scripts/migrate.ts", trusting)).toMatchObject({ code: 0 });
  expect(await runToEnd("scripts/cli.ts sessions end-all", trusting)).toMatchObject({ code: 0 });
  expect(front.received()).toBeGreaterThan(0);
});

test("without it neither is", async () => {
  for (const trusted of ["DATABASE_URL", "REDIS_URL"]) {
    const plain = { DATABASE_URL: database.url, REDIS_URL: redis.url };
    const one = { ...settings, ...plain, [trusted]: settings[trusted] as string };
    const { code, said } = await runToEnd("scripts/cli.ts sessions end-all", one);
    expect(code, trusted).toBe(1);
    expect(said, trusted).toMatch(/self-signed certificate|does not answer/);
  }
});
