import { listDevices } from "../../../store/postgres/devices.ts";
import { openSession, readEpochs } from "../../../store/redis/sessions.ts";
import { giveDevices } from "../../e2e/paths/people.ts";
import { codeAt, registerApp } from "../../support/apps.ts";
import type { Answer, ApiClient } from "../../support/client.ts";
import type { Person } from "../../support/people.ts";
import { startChallenge } from "../../support/scenarios.ts";
import type { Stack } from "../../support/stack.ts";

/** A user with a phone (the default) and an app, another app to verify, and a session by all of it. */
export type World = {
  person: Person;
  token: string;
  app: { id: string; secret: string };
  other: { id: string; secret: string };
  /** The tokens of an administrator and of Support, by two factors. */
  chief: string;
  support: string;
  /** A login that waits for its second step, where the request answers one. */
  challengeId?: string;
};

export type Request = {
  /** What was asked for, in the user's words. */
  name: string;
  send(api: ApiClient, world: World, stack: Stack): Promise<Answer<unknown>>;
  /** The type of the event that a success leaves. */
  event?: string;
  /** What must be there before: another app, not yet verified, or a login that waits. */
  needs?: "other" | "challenge";
  /** All that it checks is checked by the store or the flow that writes: only the full form has it wait. */
  atomic?: true;
};

const ME = "/v1/me";
const MULTI_FACTOR = (userId: string) => `/v2.0/users/${userId}/RAX-AUTH/multi-factor`;

const mine =
  (method: string, path: (world: World) => string, body?: (world: World) => object) =>
  (api: ApiClient, world: World) =>
    api.call(method, path(world), { token: world.token, body: body?.(world) });

const identity =
  (who: "token" | "chief", method: string, path: string, body: object) =>
  (api: ApiClient, world: World) =>
    api.call(method, MULTI_FACTOR(world.person.id) + path, {
      headers: { "x-auth-token": world[who] },
      body,
    });

const verify =
  (makeDefault: boolean) =>
  (api: ApiClient, { token, other }: World, { clock }: Stack) =>
    api.call("POST", `${ME}/devices/${other.id}/verify`, {
      token,
      body: { code: codeAt(other.secret, clock.now()), makeDefault },
    });

/** Every request that changes something of one user. A new one takes a row. */
export const REQUESTS: Request[] = [
  {
    name: "remove the app",
    atomic: true,
    send: mine("DELETE", ({ app }) => `${ME}/devices/${app.id}`),
    event: "device_removed",
  },
  {
    name: "remove all devices",
    atomic: true,
    send: mine("DELETE", () => `${ME}/devices`),
    event: "all_devices_removed",
  },
  {
    name: "make recovery codes",
    send: mine(
      "POST",
      () => `${ME}/recovery-codes`,
      () => ({ quantity: 2 }),
    ),
    event: "recovery_codes_made",
  },
  {
    name: "a bypass code by the administrator",
    send: identity("chief", "POST", "/bypass-codes", { "RAX-AUTH:bypassCodes": {} }),
    event: "recovery_codes_made",
  },
  {
    name: "begin logins with the app",
    send: mine(
      "PUT",
      () => `${ME}/multi-factor/default-method`,
      () => ({ method: "otp" }),
    ),
  },
  { name: "verify another app", send: verify(false), event: "device_verified", needs: "other" },
  {
    name: "verify another app as the default",
    send: verify(true),
    event: "device_verified",
    needs: "other",
  },
  {
    name: "begin the other app anew",
    send: mine("POST", ({ other }) => `${ME}/devices/${other.id}/restart`),
    event: "otp_device_restarted",
    needs: "other",
  },
  {
    name: "turn it off",
    send: identity("token", "PUT", "", { "RAX-AUTH:multiFactor": { enabled: false } }),
    event: "all_devices_removed",
  },
  {
    name: "require it of the user",
    send: identity("chief", "PUT", "", {
      "RAX-AUTH:multiFactor": { userMultiFactorEnforcementLevel: "REQUIRED" },
    }),
  },
  {
    name: "change the password",
    send: mine(
      "PUT",
      () => `${ME}/password`,
      ({ person }) => ({
        currentPassword: person.password,
        password: "quite another one 73",
      }),
    ),
    event: "password_changed",
  },
  {
    name: "change the address",
    atomic: true,
    send: mine(
      "PUT",
      () => `${ME}/email`,
      ({ person }) => ({ email: `${person.id}@example.org` }),
    ),
  },
  {
    name: "give another role",
    atomic: true,
    send: (api, { chief, person }) =>
      api.call("PUT", `/v1/account/users/${person.id}/role`, {
        token: chief,
        body: { role: "administrator" },
      }),
  },
  {
    name: "a reset by Support",
    atomic: true,
    send: (api, { support, person }) =>
      api.call("POST", `/v1/support/users/${person.id}/reset-multi-factor`, {
        token: support,
        body: { reason: "a race" },
      }),
    event: "multi_factor_reset",
  },
  { name: "log in", send: (api, { person }) => api.logIn(person) },
  {
    name: "answer a challenge",
    send: (api, { challengeId = "", app }, { clock }) =>
      api.verifyPasscode(challengeId, codeAt(app.secret, clock.now())),
    needs: "challenge",
  },
  { name: "log out", send: (api, { token }) => api.logOut(token), atomic: true },
];

/** A session by both factors, as if its user had just logged in. */
export async function strongSession(stack: Stack, person: Person, role: Role): Promise<string> {
  const { redis, clock, config } = stack.deps;
  const { id: userId, accountId, username } = person;
  const opened = await openSession(redis, {
    ...{ userId, accountId, username, role },
    scope: "full",
    amr: ["pwd", "otp", "mfa"],
    epochs: await readEpochs(redis, userId, accountId),
    now: clock.now(),
    lifetimeMs: config.limits.session.absoluteMs,
  });
  if (typeof opened === "string") throw new Error(opened);
  return opened.token;
}

type Role = "member" | "administrator" | "support";

/** A user before the two requests. */
export async function newWorld(
  stack: Stack,
  { accountId, chief, support }: Pick<World, "chief" | "support"> & { accountId: string },
  requests: readonly Request[],
): Promise<World> {
  const person = await stack.createUser({ accountId });
  const { secret } = await giveDevices(stack, person, ["sms", "otp"], "sms");
  const devices = await listDevices(stack.deps.db, person.id);
  const id = devices.find(({ type }) => type === "otp")?.id ?? "";
  const token = await strongSession(stack, person, "member");
  const needed = new Set(requests.map(({ needs }) => needs));
  const other = needed.has("other") ? await registerApp(stack, token, "Other") : undefined;
  const challenge = needed.has("challenge") ? await startChallenge(stack, person) : undefined;
  return {
    ...{ person, token, chief, support, challengeId: challenge?.id },
    app: { id, secret },
    other: { id: other?.device.id ?? "", secret: other?.secret ?? "" },
  };
}
