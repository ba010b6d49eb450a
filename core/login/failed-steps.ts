import type { ClientInfo, Factor } from "../../machines/methods.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import { readChallenge } from "../../store/redis/second-step/challenges.ts";
import { noteFailedLogin } from "../../store/redis/sessions/failed-logins.ts";
import { workflowIds } from "../../workflows/ids.ts";
import { userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";

/** What was tried, and why it cost no attempt. */
type FailedStep = {
  method: Factor;
  /** The app's name, if the code is an app's. */
  device?: string;
  reason?: "already_used" | "replaced" | "not_accepted";
};

/**
 * Records a failed second step for its owner, who is also told of it at the next login. The write
 * is awaited: if PostgreSQL is down, a wrong passcode then gets the same answer as a right one,
 * which cannot open a session either. The lock limits how many wrong passcodes there are. Codes
 * that were once right do not count towards the lock; each challenge records each reason only once.
 */
export async function recordFailedStep(
  deps: Pick<CoreDeps, "db" | "redis" | "clock">,
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
