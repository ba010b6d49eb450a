import { type Client, WorkflowFailedError, WorkflowNotFoundError } from "@temporalio/client";
import type { Method } from "../machines/methods.ts";
import { workflowIds } from "../workflows/ids.ts";
import type {
  DeviceRemovalArgs,
  DeviceRemovalResult,
  LoginChallengeArgs,
  OtpEnrollmentArgs,
  PolicyRolloutArgs,
  SmsEnrollmentArgs,
  UpdateName,
  UpdatePayload,
  WebhookDeliveryArgs,
} from "../workflows/messages.ts";
import {
  firstChallengeView,
  firstOtpEnrollmentView,
  firstSmsEnrollmentView,
} from "../workflows/views.ts";
import { createCalls } from "./calls.ts";
import { RemovalUnderWay, TemporalAway } from "./errors.ts";
import { pageTimeLeft } from "./page-time.ts";
import { reporting } from "./signal.ts";
import { unrunChallenge } from "./unrun-challenge.ts";

/**
 * The gateway's only door to Temporal: for programs, and `forPages` for people, who rather wait on a
 * slow day. Each throws `TemporalAway` when Temporal or every worker is away.
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
  const { call, start, signal, result, viewIfKnown, move } = createCalls(client, patience);

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
    moveChallenge: <U extends UpdateName<"loginChallenge">>(
      challengeId: string,
      update: U,
      payload: UpdatePayload<"loginChallenge", U>,
      updateId?: string,
    ) => move(workflowIds.loginChallenge(challengeId), update, payload, updateId),

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
    enrollment: (device: Enrolled) => viewIfKnown(enrollmentId(device)),
    moveEnrollment: <M extends Method, U extends UpdateName<`${M}Enrollment`>>(
      device: Enrolled<M>,
      update: U,
      payload: UpdatePayload<`${M}Enrollment`, U>,
      updateId?: string,
    ) => move(enrollmentId(device), update, payload, updateId),

    /** False where that version's roll-out is under way already. */
    startPolicyRollout: (args: PolicyRolloutArgs) =>
      start("policyRollout", workflowIds.policyRollout(args.accountId, args.version), args, {
        summary: "roll-out of a policy",
        state: "drafted",
      }),
    /** Undefined where no such workflow is known. */
    policyRollout: (accountId: string, version: number) =>
      viewIfKnown(workflowIds.policyRollout(accountId, version)),
    movePolicyRollout: <U extends UpdateName<"policyRollout">>(
      { accountId, version }: Pick<PolicyRolloutArgs, "accountId" | "version">,
      update: U,
      payload: UpdatePayload<"policyRollout", U>,
      updateId?: string,
    ) => {
      const workflowId = workflowIds.policyRollout(accountId, version);
      return move(workflowId, update, payload, updateId);
    },

    /** Once more, where the one before has ended; false where it has not. */
    startWebhookDelivery: (args: WebhookDeliveryArgs) =>
      start("webhookDelivery", deliveryId(args), args, {
        summary: "an event to a webhook, once more",
        state: "attempting",
      }),
    /** Undefined where no such workflow is known. */
    webhookDelivery: (delivery: Delivery) => viewIfKnown(deliveryId(delivery)),
    resendDelivery: (delivery: Delivery) => move(deliveryId(delivery), "resend", {}),

    /** Waits for the end. Throws `RemovalUnderWay` where that takes too long. */
    removeDevices: async (args: DeviceRemovalArgs) => {
      const workflowId = workflowIds.deviceRemoval(args.removalId);
      const summary = args.deviceId ? "removal of a device" : "removal of all devices";
      await start("deviceRemoval", workflowId, args, { summary });
      return call("result", workflowId, () => result(workflowId)).catch(goesOn(args.removalId));
    },
    /** How a removal ended, or that it goes on; undefined where no such removal is known. */
    removal: async (removalId: string): Promise<DeviceRemovalResult | "goes_on" | undefined> => {
      const workflowId = workflowIds.deviceRemoval(removalId);
      try {
        const { status } = await call("describe", workflowId, () =>
          client.workflow.getHandle(workflowId).describe(),
        );
        if (status.name === "RUNNING") return "goes_on";
        return await call("result", workflowId, () => result(workflowId));
      } catch (error) {
        // What an operator ended has no result.
        const unknown = error instanceof WorkflowNotFoundError;
        if (unknown || error instanceof WorkflowFailedError) return undefined;
        throw error;
      }
    },

    signal,
    reportDelivery: reporting(signal),

    /** Throws `TemporalAway` unless the server answers. */
    ping: () => call("ping", undefined, () => client.workflowService.getSystemInfo({})),
  };
}

export type Flows = ReturnType<typeof flowsOver>;

type Enrolled<M extends Method = Method> = { id: string; type: M };

type Delivery = Pick<WebhookDeliveryArgs, "webhookId" | "eventId">;

const deliveryId = ({ webhookId, eventId }: Delivery) =>
  workflowIds.webhookDelivery(webhookId, eventId);

const enrollmentId = <M extends Method>({ id, type }: Enrolled<M>) =>
  workflowIds.enrollment(type, id);

/** Tells whoever stops waiting for a removal that was begun which one goes on. */
const goesOn =
  (removalId: string) =>
  (error: unknown): never => {
    throw error instanceof TemporalAway ? new RemovalUnderWay(removalId, error.cause) : error;
  };
