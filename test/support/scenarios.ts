import type { LoginResult } from "../../core/login/start-login.ts";
import type { Answer, ApiClient } from "./client.ts";
import type { Person } from "./people.ts";
import { newPhone } from "./phones.ts";
import { until } from "./until.ts";

// A code reaches the phone a moment before the workflow hears that it was sent. Scenarios wait
// until the workflow knows: an Update that arrives in between is lost by the time-skipping server,
// while a real server delivers it again.

/** What a scenario needs: a stack, or a client over a port with phones to read. */
export type Stage = {
  api: ApiClient;
  pinTo(number: string): Promise<string>;
  passcodeTo(number: string): Promise<string>;
};

type Login = Pick<Person, "username" | "password">;

/** Logs in a user without a second factor. Returns the session. */
export async function logInByPassword({ api }: Pick<Stage, "api">, user: Login) {
  const login = (await api.logIn(user)).body;
  if (login.status === "challenge") throw new Error("The user has a second factor");
  return login.session;
}

/** Registers a new phone for the user. Returns its PIN and the session that registered it. */
export async function unverifiedPhone(stage: Stage, user: Login, phone = newPhone()) {
  const { token } = await logInByPassword(stage, user);
  const { id } = (await stage.api.registerPhone(token, phone)).body;
  const pin = await stage.pinTo(phone.e164);
  await pinSent(stage, token, id);
  return { token, id, pin, e164: phone.e164 };
}

/** Registers and verifies a new phone, which logs the user out. Returns the phone's number. */
export async function enrollPhone(
  stage: Stage,
  user: Login,
  phone = newPhone(),
): Promise<{ id: string; e164: string }> {
  const { token, id, pin, e164 } = await unverifiedPhone(stage, user, phone);
  if (!isDone(await stage.api.verifyDevice(token, id, pin)))
    throw new Error("Verifying a phone should log the user out");
  return { id, e164 };
}

/**
 * Whether a device was verified, which logs its user out. On a slow machine the client retries a
 * 503: the retry gets 401 `device_verified` if the first request has verified the device.
 */
export function isDone(verified: Answer<{ signedOut: boolean }>): boolean {
  if (verified.status === 401) return verified.problem.reason === "device_verified";
  return verified.body.signedOut;
}

/** Logs in a user with a second factor by password. Returns the challenge. */
export async function startChallenge({ api }: Pick<Stage, "api">, user: Login) {
  const login: LoginResult = (await api.logIn(user)).body;
  if (login.status !== "challenge") throw new Error("The user has no second factor");
  return login.challenge;
}

/** Logs in a user with a phone. Returns the session. */
export async function logInBySms(stage: Stage, user: Login, number: string) {
  const { id } = await startChallenge(stage, user);
  const passcode = await stage.passcodeTo(number);
  await challengeSent(stage, id);
  return (await stage.api.verifyPasscode(id, passcode)).body.session;
}

/** Waits until the passcode was sent or has failed. Before that, no new one can be requested. */
export async function challengeSent({ api }: Pick<Stage, "api">, id: string) {
  const read = async () => (await api.challenge(id)).body;
  return until(read, ({ state }) => state !== "sending_passcode");
}

/** Waits until the PIN was sent or has failed. Before that, no new one can be requested. */
export async function pinSent({ api }: Pick<Stage, "api">, token: string, deviceId: string) {
  const read = async () =>
    (await api.multiFactor(token)).body.devices.find(({ id }) => id === deviceId);
  const device = await until(read, (device) => device?.state !== "sending_pin");
  if (!device) throw new Error("The device is gone");
  return device;
}

/** A wrong code of the same length. Each `n` from 1 to 10^length - 1 gives a different one. */
export function wrongCode(code: string, n = 1): string {
  const modulus = 10 ** code.length;
  return String((Number(code) + n) % modulus).padStart(code.length, "0");
}
