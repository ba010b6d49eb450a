import type { ClientInfo, Factor } from "../../machines/methods.ts";
import { ownerOf } from "../../store/ids.ts";
import type { Accepted, ChallengedLogin } from "../../store/redis/second-step/attempts.ts";
import { withdrawChallenge } from "../../store/redis/second-step/challenges.ts";
import { openSession } from "../../store/redis/sessions/sessions.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";
import {
  type FailedAttempts,
  failedAttemptsOf,
  type OpenedSession,
  openedSession,
} from "../sessions/sessions.ts";
import { accountLocked, challengeUsed, moveChallenge, refusal } from "./challenges.ts";
import { rememberAddressOf } from "./password-limits.ts";
import { recordLogin } from "./record-login.ts";
import { usedCode } from "./used-codes.ts";

/** What answered the challenge. */
export type Answer = ChallengedLogin & {
  factor: Factor;
  /** RFC 8176. */
  amr: string[];
  scope: Accepted["scope"];
  /** When this was judged, in epoch ms: the session counts from then. */
  at: number;
  /** The app or the key; a phone is known by its kind. */
  device?: { id: string; name?: string };
  /** The time step of the app's code. */
  otpStep?: { deviceId: string; step: number };
};

/** How the API or page that a login came by continues it. */
export type CompletionTerms = {
  /** Whether the answer reports the earlier failed logins, once. A program would ignore the report. */
  showsFailedLogins: boolean;
  /** As in `logIn`: what the login gets if the answer leads to a set-up only. */
  setup?: "offered" | "refused";
};

/**
 * The end of a login. The session's scope is `mfa_setup` if a security key is required and the user
 * has none.
 */
export type Authenticated = {
  session: OpenedSession;
  /** How many recovery codes are left, if one was used. */
  recoveryCodesRemaining?: number;
  failedAttempts?: FailedAttempts;
};

/**
 * Opens the session of a challenge whose answer was right. Each challenge opens one session, and
 * opening it decides which request wins. Throws `challenge_expired`, `illegal_transition` if it has
 * opened one, `account_locked`, `passcode_already_used`.
 */
export async function completeChallenge(
  deps: CoreDeps,
  challengeId: string,
  answer: Answer,
  origin: ClientInfo,
  { showsFailedLogins }: CompletionTerms,
): Promise<Pick<Authenticated, "session" | "failedAttempts">> {
  const { redis, clock, config } = deps;
  const { accountId, epochs, factor, amr, device, otpStep } = answer;
  const leadsToSetup = answer.scope === "setup";
  const userId = ownerOf(challengeId) ?? "";
  await accept(deps, challengeId, factor, origin);
  // Before the session is opened: a crash in between leaves no session without its event.
  const login = { userId, accountId, challengeId };
  const user = await recordLogin(deps, login, { factor, device }, origin);
  if (!user) throw new Problem("challenge_expired", "Log in again.");
  const { absoluteMs, setupMs } = config.limits.session;
  const opened = await openSession(redis, {
    userId,
    accountId,
    username: user.username,
    role: user.role,
    scope: leadsToSetup ? "mfa_setup" : "full",
    amr,
    epochs,
    now: answer.at,
    lifetimeMs: leadsToSetup ? setupMs : absoluteMs,
    fullMs: absoluteMs,
    challenge: { id: challengeId, wrongAllowed: config.limits.wrongPasscodes, otpStep },
    showsFailedLogins,
    ...origin,
  });
  if (opened === "completed") throw challengeUsed();
  if (opened === "locked") throw accountLocked();
  if (opened === "used") throw await usedCode(deps, userId, otpStep);
  if (opened === "stale") {
    // No answer can complete this challenge any more, so clients must not ask for one again.
    await withdrawChallenge(redis, { userId, challengeId, now: clock.now() });
    throw new Problem("challenge_expired", "Your devices changed in the meantime. Log in again.");
  }
  rememberAddressOf(deps, user.username, origin);
  return { session: openedSession(opened), ...failedAttemptsOf(opened) };
}

/**
 * Moves the workflow to `authenticated`. A repeated request finds it there already, which is no
 * refusal.
 */
async function accept(deps: CoreDeps, id: string, factor: Factor, origin: ClientInfo) {
  const facts = { factor, origin };
  // Without an Update ID, like a wrong one: if too many are under way, both are refused alike.
  const { moved, view } = await moveChallenge(deps, id, "acceptPasscode", facts);
  if (!moved && view.state !== "authenticated") throw refusal(view);
}
