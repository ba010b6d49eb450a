import { expect, test } from "vitest";
import { changeUserRequirement } from "../../core/account/user-requirement.ts";
import { makeApiKey } from "../../core/login/api-keys.ts";
import { useKey } from "../../core/login/keys.ts";
import { sessionOf } from "../../core/sessions/live-session.ts";
import { setAccountSetting } from "../../store/postgres/accounts.ts";
import type { User } from "../../store/postgres/schema.ts";
import { getUser, setRequirement } from "../../store/postgres/users.ts";
import { verifiedKeysOf } from "../../store/postgres/webauthn-credentials.ts";
import type { Flows } from "../../temporal/flows.ts";
import { eventOf } from "../store/postgres/database.ts";
import { codeAt, logInByApp, registerApp, verifiedApp } from "../support/apps.ts";
import {
  KEY_SETTINGS,
  logInByKey,
  logInByPasskey,
  newKey,
  userWithKey,
  verifiedKey,
} from "../support/keys.ts";
import type { Person } from "../support/people.ts";
import { newPhone } from "../support/phones.ts";
import { expectProblem } from "../support/problems.ts";
import { enrollPhone, logInByPassword, logInBySms, startChallenge } from "../support/scenarios.ts";
import { gatewayOver } from "../support/stack.ts";
import { useStack } from "../support/used.ts";

const KEY = "phishing_resistant";
const stack = useStack({ environment: KEY_SETTINGS });
const isLive = async (token: string) => (await stack.api.session(token)).status === 200;

/** An account whose administrator has a key. */
async function keyAccount() {
  const { user: admin, key } = await userWithKey(stack, newKey(), { role: "administrator" });
  const logIn = async () => (await logInByKey(stack, admin, key)).token;
  return {
    admin,
    logIn,
    member: () => stack.createUser({ accountId: admin.accountId }),
    require: async (body: object = { requirement: KEY }) =>
      (
        await stack.api.call("PUT", "/v1/account/multi-factor-policy", {
          ...{ token: await logIn(), body },
        })
      ).body,
  };
}

const userOf = async ({ id }: Person) => (await getUser(stack.deps.db, id)) as User;

test("attack: a set-up session by a phished passcode adds, renames or removes other devices", async () => {
  const account = await keyAccount();
  const user = await account.member();
  const { e164, id } = await enrollPhone(stack, user);
  const { device: unverified } = await registerApp(
    stack,
    (await logInBySms(stack, user, e164)).token,
  );
  await account.require();
  const { scope, token } = await logInBySms(stack, user, e164);
  expect(scope).toBe("mfa_setup");
  const devices = "/v1/me/devices";
  const name = { name: "Eve's" };
  const { countryCode, phoneNumber } = newPhone();
  for (const [method, path, body] of [
    ["POST", `${devices}/sms`, { countryCode, phoneNumber }],
    ["POST", `${devices}/otp`, name],
    ["PATCH", `${devices}/${id}`, name],
    ["DELETE", `${devices}/${unverified.id}`, undefined],
    ["DELETE", devices, undefined],
  ] as const)
    expectProblem(await stack.api.call(method, path, { token, body }), "key_required");
  const left = (await stack.api.multiFactor(token)).body.devices;
  expect(left.map((device) => device.id).sort()).toEqual([id, unverified.id].sort());
});

test("attack: a session of a phished login adds a key and removes it, to outlive the enforcement", async () => {
  const account = await keyAccount();
  const user = await account.member();
  const first = await logInByPassword(stack, user);
  const app = await verifiedApp(stack, first.token, true);
  const { token } = await logInByApp(stack, user, app.secret);
  const { id } = await verifiedKey(stack, token, { makeDefault: false });
  await stack.api.call("DELETE", `/v1/me/devices/${id}`, { token });
  await account.require();
  expect((await stack.api.session(token)).problem.reason).toBe("key_required");
});

test("attack: an API key where keys without a second factor are allowed", async () => {
  const account = await keyAccount();
  const { id: userId, accountId } = account.admin;
  const apiKey = await makeApiKey(stack.deps, await userOf(account.admin), {
    actorId: "command_line",
    origin: {},
    session: "command_line",
  });
  const setting = { accountId, setting: "apiKeysBypassMfa", on: true } as const;
  await setAccountSetting(stack.deps.db, setting, eventOf({ id: userId, accountId }));
  const { username } = account.admin;
  const body = { auth: { "RAX-KSKEY:apiKeyCredentials": { username, apiKey } } };
  const logIn = () => stack.api.call("POST", "/v2.0/tokens", { body });
  expect((await logIn()).status).toBe(200);
  await account.require();
  expect((await logIn()).status).toBe(401);
});

test("race: an exemption ends while a weak login of the user is under way", async () => {
  const account = await keyAccount();
  const user = await account.member();
  const { token } = await logInByPassword(stack, user);
  const app = await verifiedApp(stack, token, false);
  await verifiedKey(stack, token, { makeDefault: false });
  const exempt = { userId: user.id, requirement: "optional" } as const;
  await setRequirement(stack.deps.db, exempt, eventOf(await userOf(user)));
  await account.require();
  const administrator = await sessionOf(stack.deps, await account.logIn());
  const { id } = await startChallenge(stack, user);
  let ended = false;
  const moveChallenge: Flows["moveChallenge"] = async (...args) => {
    const answer = await stack.deps.flows.moveChallenge(...args);
    if (!ended) {
      // The answer was judged before the exemption ends.
      await stack.advance(1);
      await changeUserRequirement(stack.deps, administrator, await userOf(user), null, {});
    }
    ended = true;
    return answer;
  };
  const gateway = gatewayOver(stack, { flows: { ...stack.deps.flows, moveChallenge } });
  const code = codeAt(app.secret, stack.clock.now());
  expectProblem(await gateway.verifyPasscode(id, code), "challenge_expired");
  expect(ended).toBe(true);
});

test("attack: a challenge from before the announcement is answered after its end, while no worker runs", async () => {
  const account = await keyAccount();
  const user = await account.member();
  const first = await logInByPassword(stack, user);
  const app = await verifiedApp(stack, first.token, true);
  const { id } = await startChallenge(stack, user);
  const enforceAfter = new Date(stack.clock.now() + 60_000).toISOString();
  await account.require({ requirement: KEY, enforceAfter });
  // Only the gateways' clock moves, so the roll-out does not know yet.
  await stack.advance(120_000);
  const { session } = (await stack.api.verifyPasscode(id, codeAt(app.secret, stack.clock.now())))
    .body;
  expect(session.scope).toBe("mfa_setup");
});

test("a key that is removed during its login raises no alarm of a copy", async () => {
  const { user, key, id } = await userWithKey(stack, newKey());
  const { token } = await logInByKey(stack, user, key);
  const [known] = await verifiedKeysOf(stack.deps.db, user.id);
  if (!known) throw new Error("The user has no key");
  await verifiedKey(stack, token, { makeDefault: false });
  await stack.api.call("DELETE", `/v1/me/devices/${id}`, { token });
  const used = { counter: 5, backedUp: false, userVerified: true };
  await expect(useKey(stack.deps, known, used, {})).rejects.toMatchObject({
    code: "credential_rejected",
  });
  const path = "/v1/me/activity?type=key_counter_regressed";
  expect((await stack.api.call<{ events: [] }>("GET", path, { token })).body.events).toEqual([]);
});

test("a login by passkey counts as a recent login; after fifteen minutes it does not", async () => {
  const { key } = await userWithKey(stack, newKey());
  const { token } = (await logInByPasskey(stack, key)).body.session;
  const body = { name: "App" };
  const add = () => stack.api.call("POST", "/v1/me/devices/otp", { token, body });
  expect((await add()).status).toBe(201);
  await stack.advance(16 * 60_000);
  expectProblem(await add(), "reauthentication_required");
  expect(await isLive(token)).toBe(true);
});

test("a login by passkey whose answer was lost is repeated with the same Idempotency-Key", async () => {
  const { key } = await userWithKey(stack, newKey());
  const offered = await stack.api.call<{ id: string; options: object }>(
    ...(["POST", "/v1/login/passkey/options"] as const),
  );
  const { id, options } = offered.body;
  const call = {
    body: { id, credential: key.get(options) },
    headers: { "idempotency-key": "one-login-by-passkey" },
  };
  const post = () => stack.api.call("POST", "/v1/login/passkey", call);
  const first = await post();
  expect(first.status).toBe(200);
  expect((await post()).text).toBe(first.text);
});
