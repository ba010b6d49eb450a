import { newOtpSecret } from "../../../api/otp.ts";
import type { Method } from "../../../machines/methods.ts";
import { newId } from "../../../store/ids.ts";
import { addOtpDevice, addSmsDevice, verifyDevice } from "../../../store/postgres/devices.ts";
import { listEvents } from "../../../store/postgres/events.ts";
import { replaceRecoveryCodes } from "../../../store/postgres/recovery-codes.ts";
import { seal } from "../../../store/sealing.ts";
import { eventOf } from "../../store/postgres/database.ts";
import { newPhone } from "../../support/phones.ts";
import type { Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";

/** The server's number for a workflow that has not ended. */
const RUNNING = 1;

/** After it another message may be asked for. */
export const sendInterval = 31_000;

/** A new user with verified devices of these kinds, written to the store at once. */
export async function withDevices(stack: Stack, methods: Method[], defaultMethod: Method) {
  const { db, config } = stack.deps;
  const person = await stack.createUser();
  const { id: userId } = person;
  const at = new Date(stack.clock.now());
  const { countryCode, e164 } = newPhone();
  const secret = newOtpSecret();
  for (const method of methods) {
    const id = newId();
    const device = { id, userId, at };
    if (method === "sms")
      await addSmsDevice(db, { ...device, countryCode, phoneNumber: e164 }, eventOf(person));
    else {
      const sealed = seal(config.SEALING_KEYS, secret, id);
      await addOtpDevice(db, { ...device, name: "App", secret: sealed }, 5, eventOf(person));
    }
    const proof = { userId, deviceId: id, at, makeDefault: method === defaultMethod };
    await verifyDevice(db, proof, eventOf(person));
  }
  const giveRecoveryCodes = (hashes: string[]) =>
    replaceRecoveryCodes(db, { userId, hashes, at }, eventOf(person));
  return { user: { ...person, giveRecoveryCodes }, e164, secret };
}

/** How many events the audit trail tells of the user. */
export async function eventsOf({ deps }: Stack, userId: string): Promise<number> {
  return (await listEvents(deps.db, { userId, limit: 1000 })).events.length;
}

/** How many events the flow's history has, once nothing of it runs but a message that hangs. */
export async function historyLength(stack: Stack, workflowId: string): Promise<number> {
  const handle = stack.temporal.client.workflow.getHandle(workflowId);
  await until(
    async () => (await handle.describe()).raw,
    ({ workflowExecutionInfo, pendingActivities, pendingWorkflowTask }) =>
      workflowExecutionInfo?.status !== RUNNING ||
      ((pendingActivities?.length ?? 0) <= stack.hangingSms() && !pendingWorkflowTask),
  );
  const { events } = await handle.fetchHistory();
  return events?.length ?? 0;
}
