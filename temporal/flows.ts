import { type Client, WorkflowFailedError, WorkflowNotFoundError } from "@temporalio/client";
import { Problem, type ProblemCode } from "../core/problem.ts";
import { workflowIds } from "../workflows/ids.ts";
import type {
  ChallengeView,
  challengeUpdates,
  DeviceRemovalArgs,
  DeviceRemovalResult,
  EnrollmentView,
  LoginChallengeArgs,
  OtpEnrollmentArgs,
  otpUpdates,
  PolicyRolloutArgs,
  PolicyRolloutView,
  rolloutUpdates,
  SmsEnrollmentArgs,
  smsUpdates,
  WebhookDeliveryArgs,
  WebhookDeliveryView,
  webhookUpdates,
} from "../workflows/messages.ts";
import {
  firstChallengeView,
  firstOtpEnrollmentView,
  firstSmsEnrollmentView,
} from "../workflows/views.ts";
import { createCalls } from "./calls.ts";
import { pageTimeLeft } from "./page-time.ts";
import { unrunChallenge } from "./unrun-challenge.ts";

/**
 * The gateway's only door to Temporal: for programs, and `forPages` for people, who rather wait on a
 * slow day. Throws the 503 problem when Temporal or every worker is away.
 */
export function createFlows(client: Client) {
  const forPrograms = flowsOver(client);
  // Enrollments start within a transaction, which holds a connection and the user's row: nobody's
  // patience may keep those from all others.
  const { startSmsEnrollment, startOtpEnrollment } = forPrograms;
  const forPages = { ...flowsOver(client, pageTimeLeft), startSmsEnrollment, startOtpEnrollment };
  return { ...forPrograms, forPages };
}

function flowsOver(client: Client, patience?: () => number) {
  const { call, start, viewIfKnown, move } = createCalls(client, patience);

  return {
    /** Answers the view that the challenge begins with. */
    startLoginChallenge: async (args: LoginChallengeArgs) => {
      const view = firstChallengeView(args);
      const { method } = args;
      await start("loginChallenge", workflowIds.loginChallenge(args.challengeId), args, {
        summary: `login by ${method}`,
        method,
        state: view.state,
        // With nothing to send, no worker is needed before an answer or the deadline.
        startDelay: view.state === "sending_passcode" ? undefined : args.lifetimeMs,
      });
      return view;
    },
    /** Undefined where no such workflow is known. */
    challenge: (challengeId: string) =>
      viewIfKnown(workflowIds.loginChallenge(challengeId), unrunChallenge),
    moveChallenge: (
      challengeId: string,
      update: keyof typeof challengeUpdates,
      payload: object = {},
      updateId?: string,
    ) =>
      move<ChallengeView>(workflowIds.loginChallenge(challengeId), update, payload, updateId).catch(
        unknownIs("challenge_not_found"),
      ),

    /** Answers the view that the enrollment begins with. */
    startSmsEnrollment: async (args: SmsEnrollmentArgs) => {
      const view = firstSmsEnrollmentView(args);
      await start("smsEnrollment", workflowIds.enrollment("sms", args.deviceId), args, {
        summary: "pairing of a phone",
        method: "sms",
        state: view.state,
      });
      return view;
    },
    /** Answers the view that the enrollment begins with. */
    startOtpEnrollment: async (args: OtpEnrollmentArgs) => {
      const view = firstOtpEnrollmentView(args);
      await start("otpEnrollment", workflowIds.enrollment("otp", args.deviceId), args, {
        summary: "pairing of an authenticator app",
        method: "otp",
        state: view.state,
      });
      return view;
    },
    /** Undefined where no such workflow is known. */
    enrollment: (device: Enrolled) => viewIfKnown<EnrollmentView>(enrollmentId(device)),
    moveEnrollment: <D extends Enrolled>(
      device: D,
      update: D["type"] extends "sms" ? keyof typeof smsUpdates : keyof typeof otpUpdates,
      payload: object = {},
      updateId?: string,
    ) =>
      move<EnrollmentView>(enrollmentId(device), update, payload, updateId).catch(
        unknownIs("device_not_found"),
      ),

    /** False where that version's roll-out is under way already. */
    startPolicyRollout: (args: PolicyRolloutArgs) =>
      start("policyRollout", workflowIds.policyRollout(args.accountId, args.version), args, {
        summary: "roll-out of a policy",
        state: "drafted",
      }),
    /** Undefined where no such workflow is known. */
    policyRollout: (accountId: string, version: number) =>
      viewIfKnown<PolicyRolloutView>(workflowIds.policyRollout(accountId, version)),
    movePolicyRollout: (
      { accountId, version }: Pick<PolicyRolloutArgs, "accountId" | "version">,
      update: keyof typeof rolloutUpdates,
      payload: object = {},
      updateId?: string,
    ) => {
      const workflowId = workflowIds.policyRollout(accountId, version);
      return move<PolicyRolloutView>(workflowId, update, payload, updateId);
    },

    /** Once more, where the one before has ended; false where it has not. */
    startWebhookDelivery: (args: WebhookDeliveryArgs) =>
      start("webhookDelivery", deliveryId(args), args, {
        summary: "an event to a webhook, once more",
        state: "attempting",
      }),
    /** Undefined where no such workflow is known. */
    webhookDelivery: (delivery: Delivery) => viewIfKnown<WebhookDeliveryView>(deliveryId(delivery)),
    moveWebhookDelivery: (delivery: Delivery, update: keyof typeof webhookUpdates) =>
      move<WebhookDeliveryView>(deliveryId(delivery), update, {}),

    /** Waits for the end; after a 503 the removal, if it was taken, goes on by itself. */
    removeDevices: async (args: DeviceRemovalArgs) => {
      const workflowId = workflowIds.deviceRemoval(args.removalId);
      const summary = args.deviceId ? "removal of a device" : "removal of all devices";
      await start("deviceRemoval", workflowId, args, { summary });
      return call("result", workflowId, () =>
        client.workflow.result<DeviceRemovalWorkflow>(workflowId),
      ).catch(goesOn(args.removalId));
    },
    /** How a removal ended, or that it goes on; undefined where no such removal is known. */
    removal: async (removalId: string): Promise<DeviceRemovalResult | "goes_on" | undefined> => {
      const workflowId = workflowIds.deviceRemoval(removalId);
      const handle = client.workflow.getHandle<DeviceRemovalWorkflow>(workflowId);
      try {
        const { status } = await call("describe", workflowId, () => handle.describe());
        if (status.name === "RUNNING") return "goes_on";
        return await call("result", workflowId, () => handle.result());
      } catch (error) {
        // What an operator ended has no result.
        const unknown = error instanceof WorkflowNotFoundError;
        if (unknown || error instanceof WorkflowFailedError) return undefined;
        throw error;
      }
    },

    /** Tells a flow something that nobody waits for; one that has ended needs to hear nothing. */
    signal: async (workflowId: string, name: string, payload: object) => {
      try {
        await call("signal", workflowId, () =>
          client.workflow.getHandle(workflowId).signal(name, payload),
        );
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },

    /** Throws the 503 problem unless the server answers. */
    ping: () => call("ping", undefined, () => client.workflowService.getSystemInfo({})),
  };
}

export type Flows = ReturnType<typeof flowsOver>;

type DeviceRemovalWorkflow = (args: DeviceRemovalArgs) => Promise<DeviceRemovalResult>;

type Enrolled = { id: string; type: "sms" | "otp" };

type Delivery = Pick<WebhookDeliveryArgs, "webhookId" | "eventId">;

const deliveryId = ({ webhookId, eventId }: Delivery) =>
  workflowIds.webhookDelivery(webhookId, eventId);

const enrollmentId = ({ id, type }: Enrolled) => workflowIds.enrollment(type, id);

/** Tells whoever stops waiting for a removal that was begun what becomes of it. */
const goesOn =
  (removalId: string) =>
  (error: unknown): never => {
    if (!(error instanceof Problem) || error.code !== "service_unavailable") throw error;
    throw new Problem(
      error.code,
      "The devices are being removed. That goes on by itself; look again in a moment.",
      { ...error.extra, goesOn: removalId },
      error.cause,
    );
  };

/** For a flow that Temporal has lost, or whose start a crash prevented: the problem of that code. */
const unknownIs =
  (code: ProblemCode) =>
  (error: unknown): never => {
    throw error instanceof WorkflowNotFoundError ? new Problem(code, "Start again.") : error;
  };
