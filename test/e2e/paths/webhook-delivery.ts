import type { EventFromLogic } from "xstate";
import type { ProblemCode } from "../../../core/problem.ts";
import type { DeliveryView } from "../../../core/webhooks/deliveries.ts";
import type { WebhookView } from "../../../core/webhooks/webhooks.ts";
import type { webhookDeliveryMachine as machine } from "../../../machines/webhook-delivery.ts";
import { eventRef } from "../../../store/events/event-refs.ts";
import { newId } from "../../../store/ids.ts";
import { findEvent, recordEvent } from "../../../store/postgres/events/events.ts";
import { noteDelivery } from "../../../store/postgres/webhooks/webhook-deliveries.ts";
import { workflowIds } from "../../../workflows/ids.ts";
import { webhookDeliveryView } from "../../../workflows/views.ts";
import type { PathRules } from "../../support/paths.ts";
import { startReceiver } from "../../support/receiver.ts";
import { logInByPassword } from "../../support/scenarios.ts";
import type { Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";
import {
  endFlows,
  eventsOf,
  freshSession,
  gatewayWith,
  historyLength,
  staleSession,
} from "./people.ts";
import type { Driven, Illegal } from "./walk.ts";

type Event = EventFromLogic<typeof machine>;

const WEBHOOKS = "/v1/account/webhooks";
const RETRIES = 9;
const DELAY = "xstate.after.retryDelay.webhookDelivery.waiting" as Event["type"];

/** A new event, and an event that was delivered before and is sent again. */
export const inputs = [0, 1].map((attemptsBefore) => ({
  retriesMs: Array<number>(RETRIES).fill(1),
  attemptsBefore,
}));

export const rules: PathRules<typeof machine> = {
  events: [
    { type: "EVENT_TAKEN", outcome: "204" },
    { type: "ATTEMPT_FAILED", outcome: "500" },
    { type: "WEBHOOK_REFUSED", outcome: "410" },
    { type: "WEBHOOK_GONE" },
    { type: "RESEND" },
    { type: DELAY } as Event,
  ],
  // All events at the first two attempts. After that only failures and delays, and only for an
  // event
  // that is sent again.
  happens({ context: { attempts, attemptsBefore } }, { type }) {
    if (type === DELAY || type === "ATTEMPT_FAILED") return attempts < 2 || attemptsBefore > 0;
    // The webhook goes only after two attempts: before, nothing would be sent at all.
    if (type === "WEBHOOK_GONE") return attempts === 2;
    return attempts < 2 || (attempts === 2 && type !== "RESEND");
  },
  keyOf: ({ value, context: { attempts, attemptsBefore } }) =>
    JSON.stringify([value, attempts, attemptsBefore]),
  passes: ({ status, context: { attempts } }) => status === "active" && attempts > 2,
};

/** The delivery of a new account's event to a receiver that answers when the test says so. */
export async function drive(
  stack: Stack,
  { attemptsBefore }: { attemptsBefore: number },
): Promise<Driven<typeof machine>> {
  const { api } = stack;
  const { db, flows, config } = stack.deps;
  const receiver = await startReceiver();
  receiver.answers(0);
  const admin = await stack.createUser({ role: "administrator" });
  const { accountId, id: userId } = admin;
  const logIn = () => logInByPassword(stack, admin);
  const stale = await staleSession(stack, logIn);
  const { token } = freshSession(stack, logIn);
  const body = { url: receiver.url, types: ["login_failed"] };
  const added = await api.call<WebhookView>("POST", WEBHOOKS, { token: await token(), body });
  const { id: webhookId } = added.body;

  const at = new Date(stack.clock.now());
  const key = newId();
  const type = attemptsBefore > 0 ? "login_succeeded" : "login_failed";
  await recordEvent(db, { key, at, accountId, userId, type });
  const eventId = (await findEvent(db, key))?.id ?? 0;
  const delivery = { webhookId, eventId, ref: eventRef(key) };
  const workflowId = workflowIds.webhookDelivery(webhookId, delivery.ref);

  const one = `/${webhookId}`;
  const requests = {
    read: ["GET", one],
    deliveries: ["GET", `${one}/deliveries`],
    resend: ["POST", `${one}/deliveries/${eventId}/resend`],
    resendAnother: ["POST", `${one}/deliveries/${eventId + 1_000_000}/resend`],
    enable: ["POST", `${one}/enable`],
    remove: ["DELETE", one],
  } as const;
  type Request = keyof typeof requests;
  const call = async <Body>(request: Request, client = api) => {
    const [method, path] = requests[request];
    return client.call<Body>(method, WEBHOOKS + path, { token: await token() });
  };
  let attempts = 0;
  let answered = 0;
  /** Waits until the next attempt is at the receiver, which does not answer. */
  async function arrives() {
    attempts += 1;
    await until(
      async () => receiver.received.length,
      (count) => count === attempts,
    );
  }
  const answer = (status: number) => async () => {
    receiver.answers(status);
    receiver.answers(0);
    answered += 1;
  };
  const stateOf = async () => (await flows.webhookDelivery(delivery))?.state;
  const remove = async () => (await call("remove")).body;

  if (attemptsBefore > 0) {
    const before = { state: "delivered", attempts: attemptsBefore, outcome: "204", at };
    await noteDelivery(db, { ...delivery, ...before });
    (await call("resend")).body;
  }
  await arrives();

  const moves: Record<string, (from: number, gone: boolean) => Promise<unknown>> = {
    EVENT_TAKEN: answer(204),
    ATTEMPT_FAILED: answer(500),
    WEBHOOK_REFUSED: answer(410),
    async RESEND(_from, gone) {
      const slow = gatewayWith(stack, {
        async resendDelivery(...args) {
          if (gone) await remove();
          return flows.resendDelivery(...args);
        },
      });
      (await call("resend", slow)).body;
      if (!gone) await arrives();
    },
    async [DELAY](from, gone) {
      if (gone) await remove();
      await stack.advance(config.limits.webhooks.retriesMs[from - 1] ?? 0);
      if (!gone) await arrives();
    },
  };

  return {
    fleeting: (_snapshot, next) => next?.type === "WEBHOOK_GONE",
    async move(event, from, _to, then) {
      await moves[event.type]?.(from.context.attempts, then.length > 0);
    },
    async shown() {
      const flow = await stateOf();
      const webhook = await call<WebhookView>("read");
      if (webhook.status === 404) return { flow };
      const page = await call<{ deliveries: DeliveryView[] }>("deliveries");
      const found = page.body.deliveries.find((each) => each.eventId === eventId);
      const { state, attempts, lastOutcome } = found ?? {};
      return { flow, state, attempts, lastOutcome, disabledFor: webhook.body.disabledFor };
    },
    expected(snapshot) {
      const { state, attempts, outcome } = webhookDeliveryView(snapshot);
      if (state === "canceled") return { flow: state };
      return {
        ...{ flow: state, state, attempts },
        lastOutcome: outcome ?? (attemptsBefore > 0 ? "204" : null),
        disabledFor: state !== "failed" ? null : outcome === "410" ? "gone" : "failing",
      };
    },
    async illegal({ value }) {
      const tokenOf = async (options: Parameters<Stack["createUser"]>[0]) =>
        (await logInByPassword(stack, await stack.createUser(options))).token;
      const refused = (names: Request[], whose: string, code: ProblemCode, token?: string) =>
        names.map((name): Illegal => {
          const [method, path] = requests[name];
          return {
            request: `${name} ${whose}`,
            send: () => api.call(method, WEBHOOKS + path, { token }),
            code,
          };
        });
      const all = Object.keys(requests) as Request[];
      const own = (names: Request[], code: ProblemCode) => refused(names, "", code, fresh);
      const fresh = await token();
      const there = value !== "canceled";
      return [
        ...refused(all, "without a session", "unauthenticated"),
        ...refused(all, "by a member", "forbidden", await tokenOf({ accountId })),
        ...refused(
          all,
          "from another account",
          "webhook_not_found",
          await tokenOf({ role: "administrator" }),
        ),
        ...refused(["remove", "enable"], "by an old session", stale.code(), stale.token),
        ...own(["resendAnother"], there ? "delivery_not_found" : "webhook_not_found"),
        ...(value === "attempting" ? own(["resend"], "illegal_transition") : []),
        ...(value === "failed" ? own(["resend"], "webhook_disabled") : []),
        ...(there ? [] : own(all, "webhook_not_found")),
      ];
    },
    async traces() {
      return {
        webhook: (await call("read")).text,
        deliveries: (await call("deliveries")).text,
        received: receiver.received.length,
        events: await eventsOf(stack, { accountId }),
        history: await historyLength(stack, workflowId, { hanging: attempts - answered }),
      };
    },
    async end() {
      // While an attempt runs, the server skips no time, not even for other flows. So let it end.
      receiver.answers(204);
      await until(stateOf, (state) => state !== "attempting");
      await endFlows(stack, workflowId);
      await receiver.stop();
    },
  };
}
