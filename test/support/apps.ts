import { generateSync } from "otplib";
import type { OtpSetup } from "../../core/devices/otp.ts";
import type { Role } from "../../store/postgres/schema.ts";
import { logInByPassword, type Stage, startChallenge } from "./scenarios.ts";
import type { Stack } from "./stack.ts";

const STEP_MS = 30_000;

/** The code that an authenticator app shows for the secret at a time (epoch ms). */
export const codeAt = (secret: string, ms: number) =>
  generateSync({ secret, epoch: Math.floor(ms / 1000) });

/** Adds an unverified app for the session's user. Returns the device and its secret. */
export async function registerApp({ api }: Pick<Stage, "api">, token: string, name = "App") {
  const body = { name };
  return (await api.call<OtpSetup>("POST", "/v1/me/devices/otp", { token, body })).body;
}

/** Adds and verifies an app, then moves the clock one TOTP step on, so a new code can be used. */
export async function verifiedApp(stack: Stack, token: string, makeDefault: boolean) {
  const { device, secret } = await registerApp(stack, token);
  const body = { code: codeAt(secret, stack.clock.now()), makeDefault };
  await stack.api.call("POST", `/v1/me/devices/${device.id}/verify`, { token, body });
  await stack.advance(STEP_MS);
  return { id: device.id, secret };
}

/** A user with a verified app and no phone. Verifying the app as default logs the user out. */
export async function userWithApp(stack: Stack, options?: Parameters<Stack["createUser"]>[0]) {
  const user = await stack.createUser(options);
  const { token } = await logInByPassword(stack, user);
  return { user, ...(await verifiedApp(stack, token, true)) };
}

/** A new Support operator with an app, which operators must have, and a session from it. */
export async function supportOperator(stack: Stack, accountId?: string) {
  const operator = await userWithApp(stack, { role: "support", accountId });
  const { user, secret } = operator;
  return { ...operator, token: (await logInByApp(stack, user, secret)).token };
}

/** A new user with this role and a full session, logged in with the factors that the role needs. */
export async function loggedIn(stack: Stack, role: Role, accountId?: string) {
  if (role === "support") return supportOperator(stack, accountId);
  const user = await stack.createUser({ role, accountId });
  return { user, token: (await logInByPassword(stack, user)).token };
}

/** Logs in by app. Moves the clock to a new TOTP step first, because each code works only once. */
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
