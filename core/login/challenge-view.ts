import type { PublicKeyCredentialRequestOptionsJSON } from "@simplewebauthn/server";
import type { Method } from "../../store/methods.ts";
import {
  type Challenge as ChallengeRecord,
  readChallenge,
} from "../../store/redis/second-step/challenges.ts";
import { failures } from "../../store/redis/second-step/failures.ts";
import type { ChallengeState, ChallengeView } from "../../workflows/view-types.ts";
import type { CoreDeps } from "../deps.ts";

/** The `reason` of a challenge that ended after too many requests. */
export const TOO_MANY = "too_many_requests";

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
  /** Whether a recovery code answers it; not if the user must use their security key. */
  takesRecoveryCode: boolean;
  next: ChallengeView["next"];
  /** Only in a login's answer, if it begins with a security key: what the browser needs for it. */
  options?: PublicKeyCredentialRequestOptionsJSON;
};

/** The client's view of a challenge, from its workflow's view and its record. */
export async function describeChallenge(
  { redis, config, clock }: CoreDeps,
  id: string,
  known: ChallengeView,
  record: Pick<
    ChallengeRecord,
    "userId" | "expiresAt" | "spent" | "completedBy" | "keyFrom" | "hasKey"
  >,
): Promise<Challenge> {
  const now = clock.now();
  const view = await withPasscodeOut({ redis, clock }, id, known);
  const failed = await failures(redis, record.userId, now);
  const { state, next } = standOf(view, record, now);
  // The same rule as in the script that judges passcodes.
  const onlyKey = record.hasKey && record.keyFrom !== undefined && record.keyFrom <= now;
  return {
    id,
    state,
    method: view.method,
    methods: onlyKey ? ["webauthn"] : view.methods,
    deliveredTo: view.deliveredTo ?? null,
    delivery: view.delivery ?? null,
    problem: record.spent ? TOO_MANY : (view.problem ?? null),
    expiresAt: new Date(record.expiresAt).toISOString(),
    attemptsRemaining: attemptsRemaining(config.limits, failed),
    takesRecoveryCode: !onlyKey,
    next,
  };
}

/**
 * If the user switches back to the phone so soon that no new passcode is sent, the previous
 * passcode still works, and the challenge waits for it. The flow only knows that none was sent.
 */
async function withPasscodeOut(
  { redis, clock }: Pick<CoreDeps, "redis" | "clock">,
  id: string,
  view: ChallengeView,
): Promise<ChallengeView> {
  if (view.state !== "delivery_failed" || view.problem !== "send_limit") return view;
  const { passcodeExpiresAt = 0 } = (await readChallenge(redis, id)) ?? {};
  if (passcodeExpiresAt <= clock.now()) return view;
  const next: ChallengeView["next"] = ["verify", ...view.next];
  return { ...view, state: "awaiting_passcode", delivery: "sent", problem: undefined, next };
}

/** The state of a challenge, from its flow and from what Redis knows better. */
function standOf(
  { state, next }: ChallengeView,
  { spent, completedBy, expiresAt }: Pick<ChallengeRecord, "spent" | "completedBy" | "expiresAt">,
  now: number,
): Pick<ChallengeView, "state" | "next"> {
  // The challenge has ended, even if its flow does not know it yet.
  if (spent) return { state: next.length > 0 ? "withdrawn" : state, next: [] };
  // A right passcode reached the flow, but no session was opened: the answer came too late. The
  // client must send the passcode again, and is not told that it was right.
  if (state === "authenticated" && !completedBy)
    return now < expiresAt
      ? { state: "awaiting_passcode", next: ["verify"] }
      : { state: "expired", next: [] };
  return { state, next };
}

/** Wrong attempts until the lock, including the one that locks. */
export function attemptsRemaining(limits: CoreDeps["config"]["limits"], failed: number): number {
  return Math.max(0, limits.wrongPasscodes + 1 - failed);
}
