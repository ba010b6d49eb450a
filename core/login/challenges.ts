import { ownerOf } from "../../store/ids.ts";
import { type Method, verifiedPhone } from "../../store/methods.ts";
import { listDevices } from "../../store/postgres/devices.ts";
import type { Device } from "../../store/postgres/schema.ts";
import {
  type Challenge as ChallengeRecord,
  readChallenge,
  spendChallenge,
  takeRequest,
} from "../../store/redis/second-step/challenges.ts";
import { FlowSpent, FlowUnknown } from "../../temporal/errors.ts";
import { workflowIds } from "../../workflows/ids.ts";
import type { UpdateName, UpdatePayload } from "../../workflows/messages.ts";
import type { ChallengeView } from "../../workflows/view-types.ts";
import type { CoreDeps } from "../deps.ts";
import { recordRefusedSend } from "../limits/refused-sends.ts";
import { spendPasscodeSend } from "../limits/send-limits.ts";
import { payIfDone, type Spent } from "../limits/spend-all.ts";
import { Problem } from "../problem.ts";
import { type Challenge, describeChallenge, TOO_MANY } from "./challenge-view.ts";

/** The state of a challenge. Throws `challenge_not_found`. */
export async function getChallenge(deps: CoreDeps, id: string): Promise<Challenge> {
  const record = await recordOf(deps, id);
  return describeChallenge(deps, id, await viewOf(deps, id), record);
}

/**
 * Sends a new passcode; the old one stops working. The count of failures and the deadline stay the
 * same. Throws `illegal_transition` for OTP, `send_limit`, `challenge_expired`.
 */
export async function resendPasscode(deps: CoreDeps, id: string): Promise<Challenge> {
  const record = await recordOf(deps, id);
  await spendRequest(deps, id);
  const before = await viewOf(deps, id);
  if (!before.next.includes("resend")) throw refusal(before);
  const sending = await spendSend(deps, id, await listDevices(deps.db, record.userId));
  return move(deps, id, record, "resendPasscode", {}, sending);
}

/**
 * Switches this login to another configured method. Switching back to the phone within 30 s sends
 * no new passcode; the challenge waits for the previous one. Throws `method_not_configured`.
 */
export async function chooseMethod(deps: CoreDeps, id: string, method: Method): Promise<Challenge> {
  const record = await recordOf(deps, id);
  await spendRequest(deps, id);
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

/** Spends the budgets of a passcode to the user's phone. Answers undefined if they are used up. */
export async function trySend(
  deps: CoreDeps,
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

async function spendSend(deps: CoreDeps, challengeId: string, devices: readonly Device[]) {
  const phone = verifiedPhone(devices);
  if (!phone?.phoneNumber)
    throw new Problem("method_not_configured", "You have no verified phone.");
  const { userId, phoneNumber } = phone;
  try {
    return await spendPasscodeSend(deps, { userId, challengeId, phoneNumber });
  } catch (error) {
    await recordRefusedSend(deps, { userId, kind: "passcode", phoneNumber }, error);
    throw error;
  }
}

async function move<U extends "resendPasscode" | "chooseMethod">(
  deps: CoreDeps,
  id: string,
  record: ChallengeRecord,
  update: U,
  payload: UpdatePayload<"loginChallenge", U>,
  sending: Spent | undefined,
) {
  return payIfDone(sending, async () => {
    const { moved, view } = await moveChallenge(deps, id, update, payload);
    if (!moved) throw refusal(view);
    return describeChallenge(deps, id, view, record);
  });
}

/**
 * Counts a request to the challenge, whatever its outcome. Throws `challenge_expired` with the
 * `reason` after one request too many; the challenge has then ended.
 */
export async function spendRequest(deps: CoreDeps, challengeId: string): Promise<void> {
  const { challenge: allowed } = deps.config.limits.flowRequests;
  const taken = await takeRequest(deps.redis, { challengeId, now: deps.clock.now(), allowed });
  // A challenge that ended in another way is not refused here: its flow says how it ended.
  if (taken === "just_spent" || taken === "spent") throw endedProblem(deps, challengeId, taken);
}

/**
 * Sends the challenge's flow an Update. Throws `challenge_expired` with the `reason` if Temporal
 * accepts no more Updates for the flow; the challenge has then ended.
 */
export async function moveChallenge<U extends UpdateName<"loginChallenge">>(
  deps: CoreDeps,
  id: string,
  update: U,
  payload: UpdatePayload<"loginChallenge", U>,
  updateId?: string,
) {
  try {
    return await deps.flows.moveChallenge(id, update, payload, updateId);
  } catch (error) {
    if (error instanceof FlowUnknown) throw new Problem("challenge_not_found", "Start again.");
    if (!(error instanceof FlowSpent)) throw error;
    await spendChallenge(deps.redis, { challengeId: id, now: deps.clock.now() });
    withdrawSpent(deps, id);
    throw challengeSpent();
  }
}

/**
 * Tells the flow that Redis has ended the challenge. Not awaited: without the signal the flow ends
 * at its deadline.
 */
function withdrawSpent({ flows, log }: Pick<CoreDeps, "flows" | "log">, id: string): void {
  flows
    .signal(workflowIds.loginChallenge(id), "withdraw", { reason: TOO_MANY })
    .catch((error) => log.warn({ err: error }, "could not end the flow of a used-up challenge"));
}

/** The challenge's record. Throws `challenge_not_found`. */
async function recordOf({ redis }: CoreDeps, id: string): Promise<ChallengeRecord> {
  const record = ownerOf(id) && (await readChallenge(redis, id));
  if (!record) throw challengeNotFound();
  return record;
}

/** The state of the challenge's workflow. Throws `challenge_not_found`. */
async function viewOf({ flows }: CoreDeps, id: string): Promise<ChallengeView> {
  const view = await flows.challenge(id);
  // The record is written just before the workflow starts. A crash in between leaves only the
  // record.
  if (!view) throw challengeNotFound();
  return view;
}

/** Why the challenge accepts nothing more, or not this request. */
export function refusal(view: ChallengeView): Problem {
  const members = { state: view.state };
  if (view.state === "locked") return accountLocked();
  if (view.state === "expired" || view.state === "withdrawn") return challengeExpired({ members });
  if (view.state === "authenticated") return challengeUsed({ members });
  return new Problem("illegal_transition", `Not possible in the state ${view.state}.`, { members });
}

/**
 * Why the challenge accepts nothing more, as its record in Redis says. Also ends the flow of one that
 * this request has used up.
 */
export function endedProblem(
  deps: Pick<CoreDeps, "flows" | "log">,
  id: string,
  outcome: "unknown" | "completed" | "expired" | "just_spent" | "spent",
): Problem {
  if (outcome === "just_spent") withdrawSpent(deps, id);
  switch (outcome) {
    case "unknown":
      return challengeNotFound();
    case "completed":
      return challengeUsed();
    case "expired":
      return challengeExpired();
    case "just_spent":
    case "spent":
      return challengeSpent();
  }
}

/** How many wrong passcodes and requests a challenge allows before it accepts nothing more. */
export const challengeBounds = ({ limits }: CoreDeps["config"]) => ({
  wrongAllowed: limits.wrongPasscodes,
  requestsAllowed: limits.flowRequests.challenge,
});

const AGAIN = "Log in again.";

/** The challenge does not exist, or is long forgotten. */
export const challengeNotFound = () => new Problem("challenge_not_found", AGAIN);

/** The challenge has ended without a session. */
export const challengeExpired = (extra?: Problem["extra"]) =>
  new Problem("challenge_expired", AGAIN, extra);

/** The challenge has used up its requests. */
export const challengeSpent = () =>
  new Problem("challenge_expired", "Too many requests were made for this login. Log in again.", {
    members: { reason: TOO_MANY, state: "withdrawn" },
    spent: true,
  });

/** The challenge has already opened a session. */
export const challengeUsed = (extra?: Problem["extra"]) =>
  new Problem("illegal_transition", "This login was already completed.", extra);

/** The 423 problem. It is the same for every request of a locked user. */
export const accountLocked = () =>
  new Problem(
    "account_locked",
    "Your account is locked after too many wrong passcodes. Contact Support to unlock it.",
  );
