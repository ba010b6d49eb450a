import type { ClientInfo, Factor } from "../../machines/methods.ts";
import { recordEvent } from "../../store/postgres/events.ts";
import { readChallenge } from "../../store/redis/second-step/challenges.ts";
import { noteFailedLogin } from "../../store/redis/sessions/failed-logins.ts";
import { workflowIds } from "../../workflows/ids.ts";
import { userEvent } from "../audit.ts";
import type { Deps } from "../deps.ts";

/** What was tried, and why a code that was right once is none any more. */
type FailedStep = {
  method: Factor;
  /** The app's name, where the code is one of an app's. */
  device?: string;
  reason?: "already_used" | "replaced";
};

/**
 * Writes a failed second step down for its owner, to be told at the next login too. It is waited for:
 * where PostgreSQL is away a wrong passcode is then answered like a right one, which could become no
 * session. The lock bounds how many wrong ones there are; those that were right once count towards no
 * lock, and a challenge tells once of each reason.
 */
export async function recordFailedStep(
  deps: Pick<Deps, "db" | "redis" | "clock">,
  challengeId: string,
  step: FailedStep,
  origin: ClientInfo,
): Promise<void> {
  const challenge = await readChallenge(deps.redis, challengeId);
  if (!challenge) return;
  const event = userEvent(deps, challenge, "second_step_failed", origin, step);
  const workflowId = workflowIds.loginChallenge(challengeId);
  const key = step.reason ? `second_step_failed/${challengeId}/${step.reason}` : event.key;
  if (await recordEvent(deps.db, { ...event, key, workflowId }))
    await noteFailedLogin(deps.redis, challenge.userId, deps.clock.now());
}
