import { afterEach, expect, test, vi } from "vitest";
import { until } from "../support/until.ts";

const { running } = vi.hoisted(() => ({ running: { now: 0 } }));
vi.mock("@node-rs/argon2", () => ({
  hash: () => undefined,
  verify() {
    running.now += 1;
    return new Promise(() => {});
  },
}));
vi.mock("node:os", async (original) => ({
  ...(await original<object>()),
  availableParallelism: () => 16,
}));

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
  running.now = 0;
});

test.each([
  ["Node's own four threads", undefined, 4],
  ["eight threads", "8", 8],
  ["more threads than processors", "40", 15],
])("on sixteen processors with %s, as many passwords are hashed at once", async (_, size, most) => {
  vi.stubEnv("UV_THREADPOOL_SIZE", size);
  const { passwordsWaiting, verifyPassword } = await import("../../store/passwords.ts");
  for (let n = 0; n < 20; n++) void verifyPassword("hash", "password");
  await until(
    async () => running.now,
    (count) => count >= most,
  );
  // What waits for a thread is counted as waiting, so that the alert sees it.
  expect([running.now, passwordsWaiting()]).toEqual([most, 20 - most]);
});
