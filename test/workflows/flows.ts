import type { Client, WorkflowHandle } from "@temporalio/client";
import { expect } from "vitest";
import type { Config } from "../../config.ts";
import { newId } from "../../store/ids.ts";
import type { Db } from "../../store/postgres/connect.ts";
import { markOf } from "../../store/postgres/devices.ts";
import type { Redis } from "../../store/redis/connect.ts";
import { TASK_QUEUE, workflowIds } from "../../workflows/ids.ts";
import type { NoticeResult } from "../../workflows/messages.ts";
import {
  type DeviceRemovalArgs,
  type DeviceRemovalResult,
  type LoginChallengeArgs,
  type OtpEnrollmentArgs,
  type Owner,
  type PolicyRolloutArgs,
  type SmsEnrollmentArgs,
  VIEW,
  type WebauthnEnrollmentArgs,
  type WebhookDeliveryArgs,
} from "../../workflows/messages.ts";
import type {
  ChallengeView,
  EnrollmentView,
  PolicyRolloutView,
  WebhookDeliveryView,
} from "../../workflows/view-types.ts";
import { challenged, enrollee } from "../activities/subjects.ts";
import { credentialOf } from "../store/postgres/database.ts";
import { limit } from "../support/limits.ts";
import { refOf } from "../support/webhooks.ts";

/** The client address and browser of every request in these tests. */
export const ORIGIN = { ip: "192.0.2.7", userAgent: "test" };

type FlowDeps = { db: Db; redis: Redis; config: Config; clock: { now(): number } };
type View = { state: string };

/** Starts flows as the gateway does, each for a new user. */
export function flowsOn(deps: FlowDeps, client: Client) {
  const { limits } = deps.config;

  const start = async <V extends View>(
    type: string,
    workflowId: string,
    args: object,
    startDelay?: number,
  ) => {
    const options = { taskQueue: TASK_QUEUE, workflowId, args: [args], startDelay };
    return flow<V>(await client.workflow.start(type, options));
  };

  return {
    async smsEnrollment({
      lifetimeMs = limits.enrollmentMs as number,
      pinLifetimeMs = limits.pin.lifetimeMs as number,
    } = {}) {
      const enrolled = await enrollee(deps, "sms");
      const args: SmsEnrollmentArgs = { ...enrolled, lifetimeMs, pinLifetimeMs };
      const id = workflowIds.enrollment("sms", args.deviceId);
      return { ...args, ...(await start<EnrollmentView>("smsEnrollment", id, args)) };
    },

    async otpEnrollment({ lifetimeMs = limits.enrollmentMs as number } = {}) {
      const args: OtpEnrollmentArgs = { ...(await enrollee(deps, "otp")), lifetimeMs };
      const id = workflowIds.enrollment("otp", args.deviceId);
      return { ...args, ...(await start<EnrollmentView>("otpEnrollment", id, args)) };
    },

    async webauthnEnrollment({ lifetimeMs = limits.keyEnrollmentMs as number } = {}) {
      const args: WebauthnEnrollmentArgs = { ...(await enrollee(deps, "webauthn")), lifetimeMs };
      const id = workflowIds.enrollment("webauthn", args.deviceId);
      const { credentialId } = credentialOf(args.deviceId);
      const sealedAs = markOf(credentialId);
      return {
        ...args,
        sealedAs,
        ...(await start<EnrollmentView>("webauthnEnrollment", id, args)),
      };
    },

    /**
     * `unrun`: starts only when answered or due, as the gateway does if there is nothing to send.
     */
    async loginChallenge({
      method = "sms",
      methods = ["sms", "otp"],
      maySend = true,
      lifetimeMs = limits.challengeMs,
      unrun = false,
    }: Partial<Omit<LoginChallengeArgs, keyof Owner | "challengeId"> & { unrun: boolean }> = {}) {
      const choice = { method, methods, maySend, lifetimeMs, phone: "+1 ••• 0123" };
      const args: LoginChallengeArgs = { ...(await challenged(deps, { lifetimeMs })), ...choice };
      const id = workflowIds.loginChallenge(args.challengeId);
      const startDelay = unrun ? lifetimeMs : undefined;
      return { ...args, ...(await start<ChallengeView>("loginChallenge", id, args, startDelay)) };
    },

    async webhookDelivery(
      delivery: Pick<WebhookDeliveryArgs, "accountId" | "webhookId" | "eventId"> &
        Partial<WebhookDeliveryArgs>,
    ) {
      const { retriesMs } = limits.webhooks;
      const ref = await refOf(deps.db, delivery.eventId);
      const args: WebhookDeliveryArgs = { attemptsBefore: 0, retriesMs, ref, ...delivery };
      const id = workflowIds.webhookDelivery(args.webhookId, ref);
      return start<WebhookDeliveryView>("webhookDelivery", id, args);
    },

    /** The roll-out of one version of the account's policy. */
    policyRollout({ userId, accountId }: Owner, version: number) {
      const args: PolicyRolloutArgs = { userId, accountId, version };
      const id = workflowIds.policyRollout(accountId, version);
      return start<PolicyRolloutView>("policyRollout", id, args);
    },

    /** The notice of an event to its user. */
    async notice({ userId, accountId }: Owner, eventId: number) {
      const ref = await refOf(deps.db, eventId);
      const args = { userId, accountId, eventId, ref, to: "current" } as const;
      const options = { taskQueue: TASK_QUEUE, args: [args] as [object] };
      const workflowId = workflowIds.notice(ref, "current");
      return client.workflow.start<(args: object) => Promise<NoticeResult>>("notice", {
        ...options,
        workflowId,
      });
    },

    /** The removal of one of the user's devices, or of all. */
    async deviceRemoval(
      { userId, accountId }: Owner,
      { deviceId, unless, signOut = "if_required" }: Partial<DeviceRemovalArgs> = {},
    ): Promise<WorkflowHandle<() => Promise<DeviceRemovalResult>>> {
      const removalId = newId();
      const event = deviceId ? "device_removed" : "all_devices_removed";
      const request = {
        event,
        deviceId,
        unless,
        signOut,
        actorId: userId,
        origin: ORIGIN,
      } as const;
      const args: DeviceRemovalArgs = { removalId, userId, accountId, ...request };
      const workflowId = workflowIds.deviceRemoval(removalId);
      const options = { taskQueue: TASK_QUEUE, workflowId, args: [args] as [object] };
      return client.workflow.start<(args: object) => Promise<DeviceRemovalResult>>(
        "deviceRemoval",
        options,
      );
    },
  };
}

/** A running flow, with helpers to drive and read it. */
function flow<V extends View>(handle: WorkflowHandle) {
  const view = () => handle.query<V>(VIEW);
  return {
    handle,
    view,
    /** Sends an Update as the gateway does. Returns the view. */
    update: (name: string, payload: object = {}) =>
      handle.executeUpdate<V, [object]>(name, { args: [payload] }),
    /** Waits until the flow is in this state. Returns the view. */
    async reaches(state: V["state"]) {
      await eventually(async () => (await view()).state).toBe(state);
      return view();
    },
    /** The events of its history, oldest first. */
    async history() {
      return (await handle.fetchHistory()).events ?? [];
    },
    /** The whole history as text, with payloads decoded. */
    async historyText() {
      const { events } = await handle.fetchHistory();
      return JSON.stringify(events).replace(/"data":"([^"]*)"/g, (_, data) =>
        Buffer.from(data, "base64").toString(),
      );
    },
    /** The activities that it has scheduled, in order. */
    async activities() {
      const { events } = await handle.fetchHistory();
      return (events ?? []).flatMap(
        (event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? [],
      );
    },
  };
}

/** An expectation that must come true within ten seconds on an idle machine. */
export const eventually = <T>(read: () => T) =>
  expect.poll(read, { timeout: limit(10_000), interval: 20 });
