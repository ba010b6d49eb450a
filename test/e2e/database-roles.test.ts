import { afterAll, beforeAll, expect, test } from "vitest";
import { canChangeEvents } from "../../store/postgres/roles.ts";
import { limit } from "../support/limits.ts";
import { enrollPhone, logInBySms } from "../support/scenarios.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ twoRoles: true });
}, limit(120_000));
afterAll(() => stack.stop());

test("users enroll, log in, turn it off and are administered by a role that cannot change events", async () => {
  const { api } = stack;
  expect(await canChangeEvents(stack.deps.db)).toBe(false);
  const admin = await stack.createUser({ role: "administrator" });
  const { e164 } = await enrollPhone(stack, admin);
  const { token } = await logInBySms(stack, admin, e164);
  const hook = { url: "https://example.com/hook", types: ["login_failed"] };
  await api.call("POST", "/v1/account/webhooks", { token, body: hook });
  await api.call("PUT", "/v1/account/policy", { token, body: { requirement: "required" } });
  await api.call("DELETE", "/v1/me/devices", { token });
  const types = async () => {
    const { rows } = await stack.deps.db.execute<{ type: string }>("select type from events");
    return rows.map(({ type }) => type);
  };
  const seen = await until(types, (all) => all.includes("all_devices_removed"));
  expect(seen).toEqual(
    expect.arrayContaining(["device_verified", "login_succeeded", "webhook_added"]),
  );
});
