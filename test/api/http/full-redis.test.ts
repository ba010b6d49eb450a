import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient as connectTo } from "redis";
import { expect, test } from "vitest";
import { createApp } from "../../../api/app.ts";
import { freePort } from "../../../scripts/ports.ts";
import { type Launch, launch } from "../../../scripts/processes.ts";
import { startRedis } from "../../../scripts/redis.ts";
import { ensureRedis } from "../../../scripts/redis-program.ts";
import { connectRedis } from "../../../store/redis/connect.ts";
import { createClient } from "../../support/client.ts";
import { expectProblem } from "../../support/problems.ts";
import { logInByPassword } from "../../support/scenarios.ts";
import { used, useStack } from "../../support/used.ts";

const stack = useStack();

/** A gateway over its own Redis, whose memory a test can limit. */
const own = used(async () => {
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
  });
  const redis = await connectRedis(url, () => {});
  const administrator = await connectTo({ url })
    .on("error", () => {})
    .connect();
  return {
    gateway() {
      const app = createApp({ ...stack.deps, redis });
      return { app, api: createClient(async (path, init) => app.request(path, init)) };
    },
    /**
     * Sets `maxmemory`. At "1" Redis is full at once, because it already holds more than a byte.
     */
    bound: (maxMemory: string) => administrator.configSet("maxmemory", maxMemory),
    async stop() {
      redis.destroy();
      administrator.destroy();
      await Promise.all(children.map((child) => child.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
});

test("a full Redis loses nothing and logs nobody in: every face says when to try again", async () => {
  const { app, api } = own.gateway();
  const user = await stack.createUser();
  const { token } = await logInByPassword({ api }, user);
  await own.bound("1");

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

  // Existing sessions still work, even with an Idempotency-Key that cannot be stored.
  expect((await api.session(token)).status).toBe(200);
  const keyed = { token, headers: { "idempotency-key": "full" } };
  expectProblem(await api.call("POST", "/v1/logout", keyed), "service_unavailable");

  await own.bound("512mb");
  expect((await api.logIn(user)).status).toBe(200);
});
