import {
  type Client,
  Connection,
  isGrpcServiceError,
  isRetryableError,
  makeGrpcRetryInterceptor,
  QueryRejectedError,
  ServiceError,
  WorkflowClient,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from "@temporalio/client";
import { NamespaceNotFoundError } from "@temporalio/common";
import { type Facts, tell } from "../telemetry/facts.ts";
import { TASK_QUEUE, workflowIds } from "../workflows/ids.ts";
import type {
  ChallengeView,
  challengeUpdates,
  DeviceRemovalArgs,
  DeviceRemovalResult,
  EnrollmentView,
  LoginChallengeArgs,
  OtpEnrollmentArgs,
  Owner,
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
import { VIEW } from "../workflows/messages.ts";
import {
  firstChallengeView,
  firstOtpEnrollmentView,
  firstSmsEnrollmentView,
} from "../workflows/views.ts";
import { Problem, type ProblemCode, unavailable } from "./problem.ts";
import { note } from "./request-context.ts";

/** How long a caller waits for Temporal before the request is given up, in ms. */
const PATIENCE_MS = 1800;

const TRIES = 4;
const RECONNECT_MS = 1000;

/**
 * A connection for requests that somebody waits for. Lazy: the gateway starts, and says what is
 * away, also while Temporal is. A call is tried for less than PATIENCE_MS, and a server that is
 * back is found within a second; the SDK's own numbers are 18 s and two minutes.
 */
export function connectTemporal(address: string): Connection {
  const retry = makeGrpcRetryInterceptor({
    delayFunction: (attempt) => 50 * 2 ** attempt,
    retryableDecider: (attempt, status) => attempt < TRIES && isRetryableError(status),
  });
  return Connection.lazy({
    address,
    interceptors: [retry],
    channelArgs: { "grpc.max_reconnect_backoff_ms": RECONNECT_MS },
  });
}

/** An Update's answer: `moved` is false where the machine refused, and `view` then says where it stands. */
export type Moved<View> = { moved: boolean; view: View };

/** The gateway's only door to Temporal. Throws the 503 problem when Temporal or every worker is away. */
export function createFlows(client: Client) {
  const call = async <T>(
    name: string,
    workflowId: string | undefined,
    work: () => Promise<T>,
  ): Promise<T> => {
    if (workflowId) note({ workflowId });
    const begun = performance.now();
    const ended = (outcome: Facts["temporal-call"]["outcome"]) =>
      tell("temporal-call", { call: name, outcome, seconds: (performance.now() - begun) / 1000 });
    const patience = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        patience.abort();
        reject(unavailable("temporal"));
      }, PATIENCE_MS);
    });
    try {
      // The abort ends the first try of a call; its later ones are left to themselves.
      const answer = await Promise.race([client.withAbortSignal(patience.signal, work), late]);
      ended("ok");
      return answer;
    } catch (error) {
      const away = error instanceof Problem || isAway(error);
      ended(away ? "away" : isRefusal(error) ? "refused" : "failed");
      if (away) throw unavailable("temporal");
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };

  const start = async (
    type: string,
    workflowId: string,
    args: Omit<Owner, "userId"> & Partial<Owner>,
    { summary, method, state }: { summary: string; method?: string; state?: string },
  ) => {
    try {
      await call("start", workflowId, () =>
        client.workflow.start(type, {
          taskQueue: TASK_QUEUE,
          workflowId,
          args: [args],
          staticSummary: summary,
          searchAttributes: {
            ...(args.userId && { MfaUserId: [args.userId] }),
            MfaAccountId: [args.accountId],
            ...(method && { MfaMethod: [method] }),
            ...(state && { MfaState: [state] }),
          },
        }),
      );
    } catch (error) {
      // A repeated request: the flow it asks for is there.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  };

  const open = new WorkflowClient({ ...client.workflow.options, queryRejectCondition: "NOT_OPEN" });
  // The view of a flow that has ended is its result, for which no worker is asked: its build may be gone.
  const view = async <View>(workflowId: string) => {
    try {
      const work = () => open.getHandle(workflowId).query<View>(VIEW);
      return await call("query", workflowId, work);
    } catch (error) {
      if (!(error instanceof QueryRejectedError)) throw error;
      const ended = () => client.workflow.result<(args: object) => Promise<View>>(workflowId);
      return call("result", workflowId, ended);
    }
  };

  /** Undefined where no such workflow is known. */
  const viewIfKnown = async <View>(workflowId: string) => {
    try {
      return await view<View>(workflowId);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  };

  const move = async <View>(
    workflowId: string,
    update: string,
    payload: object,
    updateId?: string,
    tries = TRIES,
  ): Promise<Moved<View>> => {
    try {
      const handle = client.workflow.getHandle(workflowId);
      const options = { args: [payload] as [object], updateId };
      const work = () => handle.executeUpdate<View, [object]>(update, options);
      return { moved: true, view: await call("update", workflowId, work) };
    } catch (error) {
      if (wasOvertaken(error) && tries > 1)
        return move(workflowId, update, payload, updateId, tries - 1);
      if (!isRefusal(error)) throw error;
      return { moved: false, view: await view<View>(workflowId) };
    }
  };

  return {
    /** Answers the view that the challenge begins with. */
    startLoginChallenge: async (args: LoginChallengeArgs) => {
      const view = firstChallengeView(args);
      const { method } = args;
      await start("loginChallenge", workflowIds.loginChallenge(args.challengeId), args, {
        summary: `login by ${method}`,
        method,
        state: view.state,
      });
      return view;
    },
    /** Undefined where no such workflow is known. */
    challenge: (challengeId: string) =>
      viewIfKnown<ChallengeView>(workflowIds.loginChallenge(challengeId)),
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

    /** Once more, where the one before has ended. */
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
      );
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

export type Flows = ReturnType<typeof createFlows>;

type DeviceRemovalWorkflow = (args: DeviceRemovalArgs) => Promise<DeviceRemovalResult>;

type Enrolled = { id: string; type: "sms" | "otp" };

type Delivery = Pick<WebhookDeliveryArgs, "webhookId" | "eventId">;

const deliveryId = ({ webhookId, eventId }: Delivery) =>
  workflowIds.webhookDelivery(webhookId, eventId);

const enrollmentId = ({ id, type }: Enrolled) => workflowIds.enrollment(type, id);

/** For a flow that Temporal has lost, or whose start a crash prevented: the problem of that code. */
const unknownIs =
  (code: ProblemCode) =>
  (error: unknown): never => {
    throw error instanceof WorkflowNotFoundError ? new Problem(code, "Begin anew.") : error;
  };

/** Answers of a server that is there: what was asked for cannot be, or is there already. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof WorkflowUpdateFailedError ||
    error instanceof WorkflowNotFoundError ||
    error instanceof QueryRejectedError ||
    error instanceof WorkflowExecutionAlreadyStartedError
  );
}

/**
 * gRPC's CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED,
 * INTERNAL and UNAVAILABLE: what a server says that starts, stops, fails over or has no worker.
 */
const AWAY = new Set([1, 2, 4, 8, 9, 10, 13, 14]);

function isAway(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  // Our own namespace: a server that has just started does not know it yet.
  if (error instanceof NamespaceNotFoundError) return true;
  return AWAY.has(statusOf(error) ?? 0);
}

const FAILED_PRECONDITION = 9;

/**
 * Something else happened to the flow while it was ending: the server has its task done again and
 * forgets the Update, which is to be sent once more.
 */
function wasOvertaken(error: unknown): boolean {
  return statusOf(error) === FAILED_PRECONDITION;
}

function statusOf(error: unknown): number | undefined {
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) ? cause.code : undefined;
}
