import { newOtpSecret } from "../../../core/devices/totp.ts";
import type { ProblemCode } from "../../../core/problem.ts";
import type { Method } from "../../../machines/methods.ts";
import { newId } from "../../../store/ids.ts";
import { addNamedDevice, addSmsDevice, verifyDevice } from "../../../store/postgres/devices.ts";
import { listEvents } from "../../../store/postgres/events/read-events.ts";
import { holdingUser } from "../../../store/postgres/holding-user.ts";
import { replaceRecoveryCodes } from "../../../store/postgres/recovery-codes.ts";
import { storeCredential } from "../../../store/postgres/webauthn-credentials.ts";
import { seal } from "../../../store/sealing.ts";
import type { Flows } from "../../../temporal/flows.ts";
import { credentialOf, eventOf } from "../../store/postgres/database.ts";
import { craftedKey } from "../../support/crafted-keys.ts";
import type { Person } from "../../support/people.ts";
import { newPhone } from "../../support/phones.ts";
import { gatewayOver, type Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";

/** Temporal's number for a running workflow. */
const RUNNING = 1;

/** Temporal's event numbers for a workflow task: scheduled, started (5, 6), and completed (7). */
const UNDER_WAY = new Set([5, 6]);
const TASKS = new Set([...UNDER_WAY, 7]);

/** ms. After this, another message may be requested. */
export const sendInterval = 31_000;

const FRESH_MS = 600_000;
const NOT_FRESH_MS = 16 * 60_000;
const IDLE_MS = 3_600_000;

/** Gives the user verified devices of these kinds, written directly to the store. */
export async function giveDevices(
  stack: Stack,
  person: Person,
  methods: Method[],
  defaultMethod: Method,
) {
  const { db, config } = stack.deps;
  const { id: userId } = person;
  const at = new Date(stack.clock.now());
  const { countryCode, e164 } = newPhone();
  const secret = newOtpSecret();
  const key = craftedKey();
  for (const method of methods) {
    const id = newId();
    const device = { id, userId, at };
    if (method === "sms")
      await addSmsDevice(db, { ...device, countryCode, phoneNumber: e164 }, eventOf(person));
    else if (method === "webauthn") {
      await addNamedDevice(db, { ...device, type: method, name: "Key" }, 10, eventOf(person));
      const { credentialId, publicKey } = key;
      const credential = { ...credentialOf(id), credentialId, publicKey };
      await holdingUser(db, userId, (tx) => storeCredential(tx, credential));
    } else {
      const sealed = seal(config.SEALING_KEYS, secret, id);
      await addNamedDevice(
        db,
        { ...device, type: "otp", name: "App", secret: sealed },
        5,
        eventOf(person),
      );
    }
    const proof = { userId, deviceId: id, at, makeDefault: method === defaultMethod };
    await verifyDevice(db, proof, eventOf(person));
  }
  const giveRecoveryCodes = (hashes: string[]) =>
    holdingUser(db, userId, (tx) =>
      replaceRecoveryCodes(tx, { userId, hashes, at }, eventOf(person)),
    );
  return { e164, secret, key, giveRecoveryCodes };
}

/** A user's session that is recent enough for changes. */
export function freshSession(stack: Stack, logIn: () => Promise<{ token: string }>) {
  let session: { token: string; at: number } | undefined;
  return {
    /** The token; of a new session if the old one has ended or its login is not recent any more. */
    async token() {
      if (!session || stack.clock.now() - session.at > FRESH_MS)
        session = { token: (await logIn()).token, at: stack.clock.now() };
      return session.token;
    },
    /** Call when the session has ended: the next token is a new one. */
    forget() {
      session = undefined;
    },
  };
}

/** A session without a recent login, and how changes by it are refused as time goes on. */
export async function staleSession(stack: Stack, logIn: () => Promise<{ token: string }>) {
  const { token } = await logIn();
  const begun = stack.clock.now();
  await stack.advance(NOT_FRESH_MS);
  const code = (): ProblemCode =>
    stack.clock.now() - begun < IDLE_MS ? "reauthentication_required" : "session_expired";
  return { token, code };
}

/** A gateway with these functions of its flows replaced. */
export function gatewayWith(stack: Stack, flows: Partial<Flows>) {
  return gatewayOver(stack, { flows: { ...stack.deps.flows, ...flows } });
}

/** How many audit events a user, or an account, has. */
export async function eventsOf(
  { deps }: Stack,
  whose: { userId: string } | { accountId: string },
): Promise<number> {
  return (await listEvents(deps.db, { ...whose, limit: 1000 })).events.length;
}

/** Ends the flows that a walk leaves behind, so that they do nothing later. */
export async function endFlows({ temporal }: Stack, ...workflowIds: string[]): Promise<void> {
  for (const id of workflowIds)
    await temporal.client.workflow
      .getHandle(id)
      .terminate()
      .catch(() => {});
}

/**
 * How many events a flow's history has, once only hanging activities still run. `tasks: false`
 * leaves out the workflow task events, because only the time-skipping server keeps them for a
 * refused Update.
 */
export async function historyLength(
  { temporal }: Pick<Stack, "temporal">,
  workflowId: string,
  { hanging = 0, runId, tasks = true }: { hanging?: number; runId?: string; tasks?: boolean } = {},
): Promise<number> {
  const handle = temporal.client.workflow.getHandle(workflowId, runId);
  await until(
    async () => (await handle.describe()).raw,
    ({ workflowExecutionInfo, pendingActivities, pendingWorkflowTask }) =>
      workflowExecutionInfo?.status !== RUNNING ||
      ((pendingActivities?.length ?? 0) <= hanging && !pendingWorkflowTask),
  );
  // The time-skipping server does not report every pending task.
  const types = await until(
    async () =>
      ((await handle.fetchHistory()).events ?? []).map((event) => Number(event.eventType)),
    (all) => !UNDER_WAY.has(all.at(-1) ?? 0),
  );
  return types.filter((type) => tasks || !TASKS.has(type)).length;
}
