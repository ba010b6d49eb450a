import { getAccount } from "../../store/postgres/accounts.ts";
import type { AuditEvent, Device } from "../../store/postgres/schema.ts";
import { countUsers } from "../../store/postgres/user-lists.ts";
import { readChallenge } from "../../store/redis/second-step/challenges.ts";
import { unrunChallenge } from "../../temporal/unrun-challenge.ts";
import { VIEW } from "../../workflows/messages.ts";
import type { PolicyRolloutView } from "../../workflows/view-types.ts";
import type { Installation } from "./installation.ts";

/** What the database holds at the end of the run. */
type Held = { devices: readonly Device[]; events: readonly AuditEvent[] };

/** Flows that neither ended well nor may still run, and the number of all flows. */
export async function judgeFlows(installation: Installation, held: Held) {
  const wrong: string[] = [];
  let flows = 0;
  for await (const { workflowId, status, type } of installation.temporal.workflow.list()) {
    flows += 1;
    const fine =
      type === "policyRollout"
        ? await isFitting(installation, workflowId, status.name)
        : status.name === "COMPLETED" ||
          (status.name === "RUNNING" && (await mayGoOn(installation, held, workflowId, type)));
    if (!fine) wrong.push(`${workflowId} is ${status.name}`);
  }
  return { wrong, flows };
}

/**
 * Flows that may still run:
 * - a login within its ten minutes;
 * - a login withdrawn before its workflow ever ran, which ends at its deadline;
 * - an enrollment with an unverified device;
 * - an enrollment without a device, because its gateway died first: only its deadline ends it.
 */
async function mayGoOn(
  { redis, temporal }: Installation,
  { devices, events }: Held,
  workflowId: string,
  type: string,
): Promise<boolean> {
  const [, id = ""] = workflowId.split("/");
  if (type === "loginChallenge") {
    const record = await readChallenge(redis, id);
    if (!record || record.completedBy) return false;
    if (record.expiresAt > Date.now()) return true;
    const history = await temporal.workflow.getHandle(workflowId).fetchHistory();
    return unrunChallenge(history)?.state === "withdrawn";
  }
  const device = devices.find((each) => each.id === id);
  if (device) return device.verifiedAt === null;
  return type.endsWith("Enrollment") && !events.some(({ detail }) => detail.deviceId === id);
}

/**
 * Whether a roll-out's state fits its account's policy. The current version waits for users without
 * a device, or has ended because all have one. An earlier version is superseded or canceled. One
 * that was never announced left the policy unchanged.
 */
async function isFitting(
  { db, temporal }: Installation,
  workflowId: string,
  status: string,
): Promise<boolean> {
  const [, accountId = "", version = ""] = workflowId.split("/");
  const flow = temporal.workflow.getHandle<Rollout>(workflowId);
  if (status !== "RUNNING" && status !== "COMPLETED") return false;
  const running = status === "RUNNING";
  const view = running ? await flow.query<PolicyRolloutView>(VIEW) : await flow.result();
  const account = await getAccount(db, accountId);
  if (!account) return false;
  const { toGo, total } = await countUsers(db, account);
  const current = account.policyVersion === Number(version);
  const counted = view.toGo ?? 0;
  switch (view.state) {
    case "enforced":
      return (
        running &&
        current &&
        account.requirement === "required" &&
        counted >= toGo &&
        counted <= total
      );
    case "completed":
      return current && account.requirement === "required" && toGo === 0;
    case "superseded":
    case "canceled":
      return account.policyVersion > Number(version);
    case "abandoned":
      return account.policyVersion < Number(version);
    default:
      return false;
  }
}

type Rollout = () => Promise<PolicyRolloutView>;
