import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createApp } from "../../api/app.ts";
import { freePort } from "../../scripts/ports.ts";
import { type Launch, launch } from "../../scripts/processes.ts";
import { startRedis } from "../../scripts/redis.ts";
import { ensureRedis } from "../../scripts/redis-program.ts";
import { newId } from "../../store/ids.ts";
import { connectRedis } from "../../store/redis/connect.ts";
import { createClient } from "../support/client.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { used, useStack } from "../support/used.ts";

const stack = useStack();

/** A gateway over a Redis of its own that takes 4 MB, as little as one can do with. */
const small = used(async () => {
  const folder = mkdtempSync(join(tmpdir(), "second-step-redis-"));
  const children: ReturnType<Launch>[] = [];
  const keeping: Launch = (program) => {
    const child = launch(program);
    children.push(child);
    return child;
  };
  const url = await startRedis(keeping, {
    program: await ensureRedis(() => {}),
    folder,
    port: await freePort(),
    logFile: join(folder, "redis.log"),
    maxMemory: "4mb",
  });
  const redis = await connectRedis(url, () => {});
  return {
    redis,
    gateway() {
      const app = createApp({ ...stack.deps, redis });
      return { app, api: createClient(async (path, init) => app.request(path, init)) };
    },
    async fill() {
      const write = async () => {
        for (;;) await redis.set(`filler:${newId()}`, "x".repeat(10_000));
      };
      await expect(write()).rejects.toThrow(/^OOM/);
    },
    async stop() {
      redis.destroy();
      await Promise.all(children.map((child) => child.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
});

test("a full Redis loses nothing and lets nothing through: every face says when to come again", async () => {
  const { app, api } = small.gateway();
  const user = await stack.createUser();
  const { token } = await logInByPassword({ api }, user);
  await small.fill();

  for (const password of [user.password, "wrong"]) {
    const refused = await api.logIn({ ...user, password });
    expectProblem(refused, "service_unavailable");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  }
  const { username, password } = user;
  const other = await app.request("/v2.0/tokens", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ auth: { passwordCredentials: { username, password } } }),
  });
  const form = await app.request("https://mfa.example/login", {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "sec-fetch-site": "same-origin",
    },
    body: new URLSearchParams({ username, password }).toString(),
  });
  for (const { status, headers } of [other, form])
    expect([status, Number(headers.get("retry-after")) > 0]).toEqual([503, true]);

  // Whoever is in stays in, also with a key that cannot be written down.
  expect((await api.session(token)).status).toBe(200);
  const keyed = { token, headers: { "idempotency-key": "full" } };
  expectProblem(await api.call("POST", "/v1/logout", keyed), "service_unavailable");

  await small.redis.flushDb();
  expect((await api.logIn(user)).status).toBe(200);
});
