import { newOwnedId } from "../../store/ids.ts";
import { type Method, verifiedPhone } from "../../store/methods.ts";
import { maskPhoneNumber } from "../../store/phones.ts";
import type { Device, User } from "../../store/postgres/schema.ts";
import type { VerifiedKey } from "../../store/postgres/webauthn-credentials.ts";
import { openChallenge } from "../../store/redis/second-step/challenges.ts";
import type { Epochs } from "../../store/redis/sessions/revocations.ts";
import { subjectOf } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { payIfDone } from "../limits/spend-all.ts";
import { type Challenge, describeChallenge } from "./challenge-view.ts";
import { trySend } from "./challenges.ts";
import { askKeys } from "./keys.ts";

/** With what a login goes on. */
type Choice = {
  method: Method;
  methods: Method[];
  /** From when on (ms) a key is required; undefined if never. */
  keyFrom: number | undefined;
  devices: Device[];
  keys: VerifiedKey[];
  epochs: Epochs;
  lifetimeMs: number;
};

/**
 * Opens a login's challenge: with a passcode to the phone, or options for the user's keys, if it
 * starts with that method. Answers undefined if the devices were removed after the login read
 * them.
 */
export async function startChallenge(
  deps: CoreDeps,
  user: User,
  { method, methods, keyFrom, devices, keys, epochs, lifetimeMs }: Choice,
): Promise<Challenge | undefined> {
  const { redis, flows, clock } = deps;
  const challengeId = newOwnedId(user.id);
  const owner = subjectOf(user);
  const expiresAt = clock.now() + lifetimeMs;
  const hasKey = keys.length > 0;
  const record = { challengeId, ...owner, epochs, expiresAt, keyFrom, hasKey, spent: false };
  const asked = method === "webauthn" ? await askKeys(deps, keys) : undefined;
  const opened = { ...record, nonce: asked?.nonce, now: clock.now() };
  if (!(await openChallenge(redis, opened))) return undefined;
  const sending = method === "sms" ? await trySend(deps, challengeId, devices) : undefined;
  const maySend = sending !== undefined;
  const number = verifiedPhone(devices)?.phoneNumber;
  const phone = number ? maskPhoneNumber(number) : undefined;
  const args = { ...owner, challengeId, method, methods, phone, lifetimeMs, maySend };
  const view = await payIfDone(sending, () => flows.startLoginChallenge(args));
  const challenge = await describeChallenge(deps, challengeId, view, record);
  return { ...challenge, ...(asked && { options: asked.options }) };
}
