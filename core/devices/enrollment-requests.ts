import type { ClientInfo, Method } from "../../machines/methods.ts";
import { deviceLabel } from "../../store/postgres/devices.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import type { Device } from "../../store/postgres/schema.ts";
import { getUser } from "../../store/postgres/users.ts";
import {
  countEnrollmentRequest,
  takeBackEnrollmentRequest,
} from "../../store/redis/second-step/enrollment-requests.ts";
import { FlowSpent, FlowUnknown } from "../../temporal/errors.ts";
import { workflowIds } from "../../workflows/ids.ts";
import type { UpdateName, UpdatePayload } from "../../workflows/messages.ts";
import { subjectOf, userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";
import { requireStillLive } from "../sessions/live-session.ts";
import type { UnverifiedOf } from "./devices.ts";

/**
 * Counts a request to a device's enrollment, whatever its outcome. Throws `enrollment_ended` after
 * one request too many; the unverified device is then removed.
 */
export async function spendEnrollmentRequest(
  deps: CoreDeps,
  device: Device,
  origin: ClientInfo,
): Promise<void> {
  const { flowRequests, enrollmentMs: keepMs } = deps.config.limits;
  const { userId, id: deviceId } = device;
  const requests = await countEnrollmentRequest(deps.redis, { userId, deviceId, keepMs });
  const allowed = flowRequests.enrollment;
  // Sent only once, because the flow's history counts signals too.
  if (requests === allowed + 1)
    await withdraw(deps, device, origin).catch(async (error) => {
      // Uncounted again, so that the next request sends the signal.
      await takeBackEnrollmentRequest(deps.redis, { userId, deviceId });
      throw error;
    });
  if (requests > allowed) return end(deps, device, origin);
}

/**
 * Sends the device's enrollment an Update if the session that sets it up is still live; throws as
 * `requireStillLive`. Throws `enrollment_ended` if Temporal accepts no more Updates for the flow;
 * the unverified device is then removed.
 */
export async function moveEnrollment<M extends Method, U extends UpdateName<`${M}Enrollment`>>(
  deps: CoreDeps,
  device: UnverifiedOf<M>,
  update: U,
  payload: UpdatePayload<`${M}Enrollment`, U>,
  origin: ClientInfo,
  updateId?: string,
) {
  await requireStillLive(deps, device.by);
  try {
    return await deps.flows.moveEnrollment(device, update, payload, updateId);
  } catch (error) {
    if (error instanceof FlowUnknown) throw new Problem("device_not_found", "Start again.");
    if (!(error instanceof FlowSpent)) throw error;
    await withdraw(deps, device, origin);
    return end(deps, device, origin);
  }
}

/** Removes the device by a signal: a flow that accepts no more Updates still accepts signals. */
const withdraw = ({ flows }: CoreDeps, { id, type }: Device, origin: ClientInfo) =>
  flows.signal(workflowIds.enrollment(type, id), "withdraw", { origin });

/** Records that the enrollment has ended, and throws `enrollment_ended`. */
async function end(deps: CoreDeps, device: Device, origin: ClientInfo): Promise<never> {
  const { id: deviceId, userId } = device;
  const user = await getUser(deps.db, userId);
  if (user) {
    const detail = { deviceId, device: deviceLabel(device), reason: "too_many_requests" };
    const event = userEvent(deps, subjectOf(user), "enrollment_ended", origin, detail);
    // Recorded once, however many requests arrive before the device is removed.
    await recordEvent(deps.db, { ...event, key: `enrollment_ended/${deviceId}` });
  }
  throw new Problem(
    "enrollment_ended",
    "Too many tries. This set-up has ended. Add the device again.",
  );
}
