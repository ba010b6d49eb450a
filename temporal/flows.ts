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
  WebauthnEnrollmentArgs,
  WebhookDeliveryArgs,
} from "../workflows/messages.ts";
import { firstChallengeView } from "../workflows/views.ts";
import { createCalls } from "./calls.ts";
import {
  type Enrollment,
  otpEnrollment,
  smsEnrollment,
  webauthnEnrollment,
} from "./enrollments.ts";
import { RemovalUnderWay, TemporalAway } from "./errors.ts";
import { pageTimeLeft } from "./page-time.ts";
import { reporting } from "./signal.ts";
import { unrunChallenge } from "./unrun-challenge.ts";

/**
 * All access of the gateway to Temporal: for programs, and `forPages` for people, who would
 * rather wait longer than see an error. Each call throws `TemporalAway` if Temporal or every worker
 * is down.
 */
export function createFlows(client: Client) {
  return { ...flowsOver(client), forPages: flowsOver(client, pageTimeLeft) };
}

function flowsOver(client: Client, patience?: () => number) {
  const { call, start, signal, result, viewIfKnown, move } = createCalls(client, patience);

  const startEnrollment = async <M extends Method>({ begun, view }: Enrollment<M>) => {
    const { type, workflowId, args, ...shown } = begun;
    await start(type, workflowId, args, shown);
    return view;
  };

  return {
    /** Answers the view with which the challenge starts. */
    startLoginChallenge: async (args: LoginChallengeArgs) => {
      const view = firstChallengeView(args);
      const { method } = args;
      await start("loginChallenge", workflowIds.loginChallenge(args.challengeId), args, {
        summary: `login by ${method}`,
        method,
        state: view.state,
        // If nothing is sent, no worker is needed before an answer or the deadline.
        startDelay: view.state === "sending_passcode" ? undefined : args.lifetimeMs,
      });
      return view;
    },
    /** Undefined if no such workflow is known. */
    challenge: (challengeId: string) =>
      viewIfKnown(workflowIds.loginChallenge(challengeId), unrunChallenge),
    moveChallenge: <U extends UpdateName<"loginChallenge">>(
      challengeId: string,
      update: U,
      payload: UpdatePayload<"loginChallenge", U>,
      updateId?: string,
    ) => move(workflowIds.loginChallenge(challengeId), update, payload, updateId),

    /** Answers the view with which the enrollment starts. */
    startSmsEnrollment: (args: SmsEnrollmentArgs) => startEnrollment(smsEnrollment(args)),
    /** Answers the view with which the enrollment starts. */
    startOtpEnrollment: (args: OtpEnrollmentArgs) => startEnrollment(otpEnrollment(args)),
    /** Answers the view with which the enrollment starts. */
    startWebauthnEnrollment: (args: WebauthnEnrollmentArgs) =>
      startEnrollment(webauthnEnrollment(args)),
    /** Undefined if no such workflow is known. */
    enrollment: (device: Enrolled) => viewIfKnown(enrollmentId(device)),
    moveEnrollment: <M extends Method, U extends UpdateName<`${M}Enrollment`>>(
      device: Enrolled<M>,
      update: U,
      payload: UpdatePayload<`${M}Enrollment`, U>,
      updateId?: string,
    ) => move(enrollmentId(device), update, payload, updateId),

    /** False if that version's roll-out is already running. */
    startPolicyRollout: (args: PolicyRolloutArgs) =>
      start("policyRollout", workflowIds.policyRollout(args.accountId, args.version), args, {
        summary: "roll-out of a policy",
        state: "drafted",
      }),
    /** Undefined if no such workflow is known. */
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

    /** Delivers an event again after its delivery has ended; false if it has not ended. */
    startWebhookDelivery: (args: WebhookDeliveryArgs & Delivery) =>
      start("webhookDelivery", deliveryId(args), args, {
        summary: "an event sent to a webhook again",
        state: "attempting",
      }),
    /** Undefined if no such workflow is known. */
    webhookDelivery: (delivery: Delivery) => viewIfKnown(deliveryId(delivery)),
    resendDelivery: (delivery: Delivery) => move(deliveryId(delivery), "resend", {}),

    /** Waits for the end of the removal. Throws `RemovalUnderWay` if that takes too long. */
    removeDevices: async (args: DeviceRemovalArgs) => {
      const workflowId = workflowIds.deviceRemoval(args.removalId);
      const summary = args.deviceId ? "removal of a device" : "removal of all devices";
      await start("deviceRemoval", workflowId, args, { summary });
      return call("result", workflowId, () => result(workflowId)).catch(goesOn(args.removalId));
    },
    /** How a removal ended, or that it still runs; undefined if no such removal is known. */
    removal: async (removalId: string): Promise<DeviceRemovalResult | "goes_on" | undefined> => {
      const workflowId = workflowIds.deviceRemoval(removalId);
      try {
        const { status } = await call("describe", workflowId, () =>
          client.workflow.getHandle(workflowId).describe(),
        );
        if (status.name === "RUNNING") return "goes_on";
        return await call("result", workflowId, () => result(workflowId));
      } catch (error) {
        // A removal that an operator terminated has no result.
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

type Delivery = Pick<WebhookDeliveryArgs, "webhookId"> & { ref: string };

const deliveryId = ({ webhookId, ref }: Delivery) => workflowIds.webhookDelivery(webhookId, ref);

const enrollmentId = <M extends Method>({ id, type }: Enrolled<M>) =>
  workflowIds.enrollment(type, id);

/** If the wait for a removal times out, says which removal continues. */
const goesOn =
  (removalId: string) =>
  (error: unknown): never => {
    throw error instanceof TemporalAway ? new RemovalUnderWay(removalId, error.cause) : error;
  };
