import type { ClientInfo, Factor } from "../../machines/methods.ts";
import type { EventType } from "../../store/events/event-types.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import type { User } from "../../store/postgres/schema.ts";
import { recordLoginEvent } from "../../store/postgres/users.ts";
import { workflowIds } from "../../workflows/ids.ts";
import { userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";

type Login = { userId: string; accountId: string; challengeId: string };

/** The factor that answered the challenge, and the app's name if it was an app. */
type Proof = { factor: Factor; device?: string };

/** Records the login that a challenge became, once even if it is repeated. Answers the user. */
export async function recordLogin(
  deps: Pick<CoreDeps, "db" | "clock">,
  { challengeId, ...user }: Login,
  proof: Proof,
  origin: ClientInfo,
): Promise<User | undefined> {
  const workflowId = workflowIds.loginChallenge(challengeId);
  const event = (type: EventType, detail = {}) => ({
    ...userEvent(deps, user, type, origin, detail),
    key: `${workflowId}/${type}`,
    workflowId,
  });
  if (proof.factor === "recovery_code") await recordEvent(deps.db, event("recovery_code_used"));
  return recordLoginEvent(deps.db, event("login_succeeded", proof));
}
