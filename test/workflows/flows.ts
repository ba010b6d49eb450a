import type { Client, WorkflowHandle } from "@temporalio/client";
import { expect } from "vitest";
import type { Config } from "../../config.ts";
import { newOwnedId } from "../../store/ids.ts";
import type { Db } from "../../store/postgres/connect.ts";
import { verifyDevice } from "../../store/postgres/devices.ts";
import type { Device, User } from "../../store/postgres/schema.ts";
import { openChallenge } from "../../store/redis/challenges.ts";
import type { Redis } from "../../store/redis/connect.ts";
import { readEpochs } from "../../store/redis/sessions.ts";
import { TASK_QUEUE, workflowIds } from "../../workflows/ids.ts";
import {
  type ChallengeView,
  type EnrollmentView,
  type LoginChallengeArgs,
  type OtpEnrollmentArgs,
  type Owner,
  type SmsEnrollmentArgs,
  VIEW,
} from "../../workflows/messages.ts";
import { AT, addedOtp, addedSms, eventOf, newUser } from "../store/postgres/database.ts";

type Deps = { db: Db; redis: Redis; config: Config; clock: { now(): number } };
type View = { state: string };

/** Starts flows as the gateway does, each for a user of its own. */
export function flowsOn({ db, redis, config, clock }: Deps, client: Client) {
  const { limits } = config;

  const start = async <V extends View, A extends object>(
    type: string,
    workflowId: string,
    args: A,
  ) =>
    flow<V>(await client.workflow.start(type, { taskQueue: TASK_QUEUE, workflowId, args: [args] }));

  return {
    async smsEnrollment() {
      const user = await newUser(db);
      const device = await addedSms(db, user);
      const args: SmsEnrollmentArgs = {
        ...enrolled(user, device),
        lifetimeMs: limits.enrollmentMs,
        pinLifetimeMs: limits.pin.lifetimeMs,
      };
      const id = workflowIds.enrollment("sms", device.id);
      return { ...args, ...(await start<EnrollmentView, typeof args>("smsEnrollment", id, args)) };
    },

    async otpEnrollment() {
      const user = await newUser(db);
      const device = await addedOtp(db, user);
      const args: OtpEnrollmentArgs = {
        ...enrolled(user, device),
        lifetimeMs: limits.enrollmentMs,
      };
      const id = workflowIds.enrollment("otp", device.id);
      return { ...args, ...(await start<EnrollmentView, typeof args>("otpEnrollment", id, args)) };
    },

    /** A challenge of a user with a verified phone. */
    async loginChallenge({
      method = "sms",
      methods = ["sms", "otp"],
      maySend = true,
      lifetimeMs = limits.challengeMs,
    }: Partial<Omit<LoginChallengeArgs, keyof Owner | "challengeId">> = {}) {
      const user = await newUser(db);
      const device = await addedSms(db, user);
      const proof = { ...enrolled(user, device), at: AT, makeDefault: true };
      await verifyDevice(db, proof, eventOf(user, "device_verified"));
      const owner = { userId: user.id, accountId: user.accountId };
      const challengeId = newOwnedId(user.id);
      const epochs = await readEpochs(redis, user.id, user.accountId);
      const now = clock.now();
      const expiresAt = now + lifetimeMs;
      await openChallenge(redis, { challengeId, ...owner, epochs, expiresAt, now });
      const choice = { method, methods, maySend, phone: "+1 ••• 0123" };
      const args: LoginChallengeArgs = { ...owner, challengeId, ...choice, lifetimeMs };
      const id = workflowIds.loginChallenge(challengeId);
      return { ...args, ...(await start<ChallengeView, typeof args>("loginChallenge", id, args)) };
    },
  };
}

const enrolled = (user: User, device: Device) => ({
  userId: user.id,
  accountId: user.accountId,
  deviceId: device.id,
});

/** A running flow as a test drives and reads it. */
function flow<V extends View>(handle: WorkflowHandle) {
  const view = () => handle.query<V>(VIEW);
  return {
    handle,
    view,
    /** Sends an Update as the gateway does; answers the view. */
    update: (name: string, payload: object = {}) =>
      handle.executeUpdate<V, [object]>(name, { args: [payload] }),
    /** Waits until the flow is there; answers the view. */
    async reaches(state: V["state"]) {
      await eventually(async () => (await view()).state).toBe(state);
      return view();
    },
    /** What stands in its history, oldest first. */
    async history() {
      return (await handle.fetchHistory()).events ?? [];
    },
    /** All that its history says, payloads decoded. */
    async historyText() {
      const { events } = await handle.fetchHistory();
      return JSON.stringify(events).replace(/"data":"([^"]*)"/g, (_, data) =>
        Buffer.from(data, "base64").toString(),
      );
    },
    /** The activities that it has asked for, in order. */
    async activities() {
      const { events } = await handle.fetchHistory();
      return (events ?? []).flatMap(
        (event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? [],
      );
    },
  };
}

/** Expects of what is read that it comes true, within ten seconds. */
export const eventually = <T>(read: () => T) =>
  expect.poll(read, { timeout: 10_000, interval: 20 });
