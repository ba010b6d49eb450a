import { randomBytes } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { createApp } from "../../../api/app.ts";
import type { Config } from "../../../config.ts";
import { makeApiKey } from "../../../core/login/api-keys.ts";
import { countOldHashes } from "../../../store/postgres/old-hashes.ts";
import { getUser } from "../../../store/postgres/users.ts";
import type { ApiClient } from "../../support/client.ts";
import {
  challengeSent,
  enrollPhone,
  logInByPassword,
  logInBySms,
  startChallenge,
  unverifiedPhone,
} from "../../support/scenarios.ts";
import { gatewayOver } from "../../support/stack.ts";
import { useStack } from "../../support/used.ts";

// The stack has one key without an id, as installations had before keys could be listed.
const stack = useStack();

/** Gateways after the new key was put in front, and after the old one was taken out. */
let rotated: ApiClient;
let withoutOld: ApiClient;
let keysOf: { rotated: Config["CODE_KEY"]; withoutOld: Config["CODE_KEY"] };
beforeAll(() => {
  const { config } = stack.deps;
  const old = { id: "old", key: config.CODE_KEY[0]?.key ?? Buffer.of() };
  const fresh = { id: "new", key: randomBytes(32) };
  keysOf = { rotated: [fresh, old], withoutOld: [fresh] };
  const over = (CODE_KEY: Config["CODE_KEY"]) =>
    gatewayOver(stack, { config: { ...config, CODE_KEY } });
  rotated = over(keysOf.rotated);
  withoutOld = over(keysOf.withoutOld);
});

test("a PIN that was sent before the key was replaced verifies the phone, until the old key is taken out", async () => {
  const { token, id, pin } = await unverifiedPhone(stack, await stack.createUser());
  expect((await withoutOld.verifyDevice(token, id, pin)).problem.code).toBe("pin_rejected");
  expect((await rotated.verifyDevice(token, id, pin)).body.signedOut).toBe(true);
});

test("a passcode that was sent before the key was replaced logs in, until the old key is taken out", async () => {
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  const { id } = await startChallenge(stack, user);
  const passcode = await stack.passcodeTo(e164);
  await challengeSent(stack, id);
  const refused = await withoutOld.verifyPasscode(id, passcode);
  expect(refused.problem.code).toBe("passcode_rejected");
  expect((await rotated.verifyPasscode(id, passcode)).body.session.amr).toContain("sms");
});

test("recovery codes of before work, until the old key is taken out; new ones work then too", async () => {
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  const { token } = await logInBySms(stack, user, e164);
  const make = async (client: ApiClient) =>
    (await client.call<{ codes: string[] }>("POST", "/v1/me/recovery-codes", { token, body: {} }))
      .body.codes as [string, string];
  const answer = async (client: ApiClient, code: string) => {
    const { id } = await startChallenge(stack, user);
    return client.verifyPasscode(id, code);
  };
  const before = await make(stack.api);
  const counted = await countOldHashes(stack.deps.db, "new");
  expect(counted).toMatchObject({ recoveryCodes: 10, users: 1 });
  expect((await answer(withoutOld, before[0])).problem.code).toBe("passcode_rejected");
  expect((await answer(rotated, before[0])).body.recoveryCodesRemaining).toBe(9);
  expect((await answer(rotated, before[0])).problem.code).toBe("passcode_already_used");
  const after = await make(rotated);
  expect((await answer(withoutOld, after[0])).body.recoveryCodesRemaining).toBe(9);
  expect(await countOldHashes(stack.deps.db, "new")).toMatchObject({ recoveryCodes: 0, users: 0 });
});

test("an API key of before moves to the new key when it is used", async () => {
  const { deps } = stack;
  const person = await stack.createUser();
  const user = await getUser(deps.db, person.id);
  if (!user) throw new Error("There is no user");
  const actor = { actorId: "test", origin: {}, session: "command_line" } as const;
  const apiKey = await makeApiKey(deps, user, actor);
  const logIn = async (CODE_KEY: Config["CODE_KEY"]) => {
    const app = createApp({ ...deps, config: { ...deps.config, CODE_KEY } });
    const { username } = person;
    const answer = await app.request("/v2.0/tokens", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ auth: { "RAX-KSKEY:apiKeyCredentials": { username, apiKey } } }),
    });
    return answer.status;
  };
  expect(await countOldHashes(deps.db, "new")).toMatchObject({ apiKeys: 1 });
  expect(await logIn(keysOf.withoutOld)).toBe(401);
  expect(await logIn(keysOf.rotated)).toBe(200);
  expect(await countOldHashes(deps.db, "new")).toMatchObject({ apiKeys: 0 });
  expect(await logIn(keysOf.withoutOld)).toBe(200);
  expect(await logIn(deps.config.CODE_KEY)).toBe(401);
});

test("a user who logs in by password is not asked for anything because a key was replaced", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword({ api: rotated }, user);
  expect((await withoutOld.session(token)).status).toBe(200);
});
