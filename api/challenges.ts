import { ownerOf } from "../store/ids.ts";
import { type Method, verifiedPhone } from "../store/methods.ts";
import { listDevices } from "../store/postgres/devices.ts";
import type { Device } from "../store/postgres/schema.ts";
import { failures } from "../store/redis/attempts.ts";
import { type Challenge as ChallengeRecord, readChallenge } from "../store/redis/challenges.ts";
import type { ChallengeState, ChallengeView } from "../workflows/messages.ts";
import type { Deps } from "./deps.ts";
import { Problem } from "./problem.ts";
import { recordRefusedSend } from "./refused-sends.ts";
import { spendPasscodeSend } from "./sends.ts";
import type { Spent } from "./spend-all.ts";

/** A login challenge as clients see it. */
export type Challenge = {
  id: string;
  state: ChallengeState;
  method: Method;
  methods: Method[];
  deliveredTo: string | null;
  delivery: "sent" | "delivered" | null;
  problem: string | null;
  expiresAt: string;
  attemptsRemaining: number;
  next: ChallengeView["next"];
};

/** Where a challenge stands. Throws `challenge_not_found`. */
export async function getChallenge(deps: Deps, id: string): Promise<Challenge> {
  const record = await recordOf(deps, id);
  return describeChallenge(deps, id, await viewOf(deps, id), record);
}

/**
 * Sends a new passcode, after which the older one is void; neither the failures nor the deadline
 * change. Throws `illegal_transition` for OTP, `send_limit`, `challenge_expired`.
 */
export async function resendPasscode(deps: Deps, id: string): Promise<Challenge> {
  const record = await recordOf(deps, id);
  const before = await viewOf(deps, id);
  if (!before.next.includes("resend")) throw refusal(before);
  const sending = await spendSend(deps, id, await listDevices(deps.db, record.userId));
  return move(deps, id, record, "resendPasscode", {}, sending);
}

/** Goes on with another configured method for this one login. Throws `method_not_configured`. */
export async function chooseMethod(deps: Deps, id: string, method: Method): Promise<Challenge> {
  const record = await recordOf(deps, id);
  const before = await viewOf(deps, id);
  if (before.next.length === 0) throw refusal(before);
  if (!before.methods.includes(method))
    throw new Problem("method_not_configured", "You have no verified device of that kind.");
  if (before.method === method) return describeChallenge(deps, id, before, record);
  const sending =
    method === "sms"
      ? await trySend(deps, id, await listDevices(deps.db, record.userId))
      : undefined;
  const payload = { method, maySend: sending !== undefined };
  return move(deps, id, record, "chooseMethod", payload, sending);
}

/** The budgets of a passcode to the user's phone; undefined where they are spent. */
export async function trySend(
  deps: Deps,
  challengeId: string,
  devices: readonly Device[],
): Promise<Spent | undefined> {
  try {
    return await spendSend(deps, challengeId, devices);
  } catch (error) {
    if (error instanceof Problem && error.code === "send_limit") return undefined;
    throw error;
  }
}

async function spendSend(deps: Deps, challengeId: string, devices: readonly Device[]) {
  const phone = verifiedPhone(devices);
  if (!phone?.phoneNumber)
    throw new Problem("method_not_configured", "You have no verified phone.");
  const { userId, phoneNumber } = phone;
  try {
    return await spendPasscodeSend(deps, { userId, challengeId, phoneNumber });
  } catch (error) {
    await recordRefusedSend(deps, { userId, kind: "passcode" }, error);
    throw error;
  }
}

async function move(
  deps: Deps,
  id: string,
  record: ChallengeRecord,
  update: "resendPasscode" | "chooseMethod",
  payload: object,
  sending: Spent | undefined,
) {
  try {
    const { moved, view } = await deps.flows.moveChallenge(id, update, payload);
    if (!moved) throw refusal(view);
    return describeChallenge(deps, id, view, record);
  } catch (error) {
    await sending?.giveBack();
    throw error;
  }
}

/** The challenge's record. Throws `challenge_not_found`. */
async function recordOf({ redis }: Deps, id: string): Promise<ChallengeRecord> {
  const record = ownerOf(id) && (await readChallenge(redis, id));
  if (!record) throw challengeNotFound();
  return record;
}

/**
 * The challenge as its user should see it: back at the phone so soon that no other passcode is sent,
 * the one that came moments ago is not lost, since it answers the challenge still.
 */
export async function withPasscodeSent(deps: Deps, challenge: Challenge): Promise<Challenge> {
  const { id, state, problem } = challenge;
  if (state !== "delivery_failed" || problem !== "send_limit") return challenge;
  const { passcodeExpiresAt = 0 } = await recordOf(deps, id);
  if (passcodeExpiresAt <= deps.clock.now()) return challenge;
  return { ...challenge, state: "awaiting_passcode", delivery: "sent", problem: null };
}

/** Where the challenge's workflow stands. Throws `challenge_not_found`. */
async function viewOf({ flows }: Deps, id: string): Promise<ChallengeView> {
  const view = await flows.challenge(id);
  // The record is written a moment before the workflow is started; a crash may come between.
  if (!view) throw challengeNotFound();
  return view;
}

/** Why the challenge takes nothing more, or not this. */
export function refusal(view: ChallengeView): Problem {
  const members = { state: view.state };
  if (view.state === "locked") return accountLocked();
  if (view.state === "expired" || view.state === "withdrawn") return challengeExpired({ members });
  if (view.state === "authenticated") return challengeUsed({ members });
  return new Problem("illegal_transition", `That cannot be done in ${view.state}.`, { members });
}

const AGAIN = "Log in again.";

/** The challenge is none of ours, or long forgotten. */
export const challengeNotFound = () => new Problem("challenge_not_found", AGAIN);

/** The challenge is over without a session. */
export const challengeExpired = (extra?: Problem["extra"]) =>
  new Problem("challenge_expired", AGAIN, extra);

/** The challenge has become a session. */
export const challengeUsed = (extra?: Problem["extra"]) =>
  new Problem("illegal_transition", "This login was already completed.", extra);

/** The 423 problem, the same wherever a locked user meets it. */
export const accountLocked = () =>
  new Problem(
    "account_locked",
    "Your account is locked after too many wrong passcodes. Contact Support to unlock it.",
  );

/** The client's view of a challenge, from its workflow's view and its record. */
export async function describeChallenge(
  { redis, config }: Deps,
  id: string,
  view: ChallengeView,
  record: Pick<ChallengeRecord, "userId" | "expiresAt">,
): Promise<Challenge> {
  return {
    id,
    state: view.state,
    method: view.method,
    methods: view.methods,
    deliveredTo: view.deliveredTo ?? null,
    delivery: view.delivery ?? null,
    problem: view.problem ?? null,
    expiresAt: new Date(record.expiresAt).toISOString(),
    attemptsRemaining: attemptsRemaining(config.limits, await failures(redis, record.userId)),
    next: view.next,
  };
}

/** Attempts until the lock, the one that would lock included. */
export function attemptsRemaining(limits: Deps["config"]["limits"], failed: number): number {
  return Math.max(0, limits.wrongPasscodes + 1 - failed);
}
