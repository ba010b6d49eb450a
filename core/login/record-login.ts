import type { ClientInfo, Factor } from "../../machines/methods.ts";
import type { EventType } from "../../store/events/event-types.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import type { User } from "../../store/postgres/schema.ts";
import { recordLoginEvent } from "../../store/postgres/users.ts";
import { workflowIds } from "../../workflows/ids.ts";
import { userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";

type Login = { userId: string; accountId: string; challengeId: string };

/** The factor that answered the challenge, and the app or the key if it was one. */
type Proof = { factor: Factor; device?: { id: string; name?: string } };

/** Records the login that a challenge became, once even if it is repeated. Answers the user. */
export async function recordLogin(
  deps: Pick<CoreDeps, "db" | "clock">,
  { challengeId, ...user }: Login,
  { factor, device }: Proof,
  origin: ClientInfo,
): Promise<User | undefined> {
  const workflowId = workflowIds.loginChallenge(challengeId);
  const event = (type: EventType, detail = {}) => ({
    ...userEvent(deps, user, type, origin, detail),
    key: `${workflowId}/${type}`,
    workflowId,
  });
  if (factor === "recovery_code") await recordEvent(deps.db, event("recovery_code_used"));
  const used = { deviceId: device?.id, phone: factor === "sms" };
  return recordLoginEvent(
    deps.db,
    event("login_succeeded", { factor, ...(device && { device: device.name }) }),
    used,
  );
}
