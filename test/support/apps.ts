import { generateSync } from "otplib";
import type { OtpSetup } from "../../core/devices/otp.ts";
import type { Role } from "../../store/postgres/schema.ts";
import { logInByPassword, type Stage, startChallenge } from "./scenarios.ts";
import type { Stack } from "./stack.ts";

const STEP_MS = 30_000;

/** The code that an authenticator app shows for the secret at a time (epoch ms). */
export const codeAt = (secret: string, ms: number) =>
  generateSync({ secret, epoch: Math.floor(ms / 1000) });

/** A new app of the session's user, not yet verified; its secret. */
export async function registerApp({ api }: Pick<Stage, "api">, token: string, name = "App") {
  const body = { name };
  return (await api.call<OtpSetup>("POST", "/v1/me/devices/otp", { token, body })).body;
}

/** A verified app; the clock stands one step after its proof. */
export async function verifiedApp(stack: Stack, token: string, makeDefault: boolean) {
  const { device, secret } = await registerApp(stack, token);
  const body = { code: codeAt(secret, stack.clock.now()), makeDefault };
  await stack.api.call("POST", `/v1/me/devices/${device.id}/verify`, { token, body });
  await stack.advance(STEP_MS);
  return { id: device.id, secret };
}

/** A user with an app alone, logged out by its proof. */
export async function userWithApp(stack: Stack, options?: Parameters<Stack["createUser"]>[0]) {
  const user = await stack.createUser(options);
  const { token } = await logInByPassword(stack, user);
  return { user, ...(await verifiedApp(stack, token, true)) };
}

/** A new Support operator with an app, without which there is no work, and a session made with it. */
export async function supportOperator(stack: Stack, accountId?: string) {
  const operator = await userWithApp(stack, { role: "support", accountId });
  const { user, secret } = operator;
  return { ...operator, token: (await logInByApp(stack, user, secret)).token };
}

/** A new user of the role with a full session, made by the factors that the role needs. */
export async function loggedIn(stack: Stack, role: Role, accountId?: string) {
  if (role === "support") return supportOperator(stack, accountId);
  const user = await stack.createUser({ role, accountId });
  return { user, token: (await logInByPassword(stack, user)).token };
}

/** The session of a user with an app, at a step that no code was used of. */
export async function logInByApp(
  stack: Stack,
  user: Parameters<typeof startChallenge>[1],
  secret: string,
) {
  await stack.advance(STEP_MS);
  const { id } = await startChallenge(stack, user);
  const code = codeAt(secret, stack.clock.now());
  return (await stack.api.verifyPasscode(id, code)).body.session;
}
