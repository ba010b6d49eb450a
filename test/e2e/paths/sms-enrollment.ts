import type { EventFromLogic, SnapshotFrom } from "xstate";
import type { ProblemCode } from "../../../core/problem.ts";
import type { smsEnrollmentMachine as machine } from "../../../machines/sms-enrollment.ts";
import { workflowIds } from "../../../workflows/ids.ts";
import { smsEnrollmentView } from "../../../workflows/views.ts";
import type { PathRules } from "../../support/paths.ts";
import { newPhone } from "../../support/phones.ts";
import { logInByPassword, logInBySms, wrongCode } from "../../support/scenarios.ts";
import type { Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";
import { deviceRequests, GONE, VERIFIED } from "./devices.ts";
import { sendInterval } from "./people.ts";
import { reportEvents, reporter } from "./reports.ts";
import type { Driven } from "./walk.ts";

type Snapshot = SnapshotFrom<typeof machine>;
type Event = EventFromLogic<typeof machine>;

const PIN_DEADLINE = "xstate.after.pinLifetime.smsEnrollment.unverified.awaiting_pin";
const DEADLINE = "xstate.after.enrollmentLifetime.smsEnrollment.unverified";
const origin = {};

export const inputs = [{ lifetimeMs: 604_800_000, pinLifetimeMs: 600_000 }];

export const rules: PathRules<typeof machine> = {
  events: [
    { type: "RESEND" },
    { type: "PIN_SENT" },
    { type: "DELIVERY_FAILED", reason: "unreachable_number" },
    ...reportEvents(4),
    { type: "PIN_REJECTED", triesRemaining: 4 },
    { type: "PIN_VOIDED" },
    { type: "PIN_ACCEPTED", makeDefault: true, origin },
    { type: "REMOVE", origin },
    { type: "DEVICE_VERIFIED" },
    { type: "DEVICE_GONE" },
    { type: PIN_DEADLINE } as never,
    { type: DEADLINE } as never,
  ],
  happens(snapshot, { type }) {
    if (type === "DEVICE_GONE") return !snapshot.matches("verifying");
    // Nobody knows a PIN before it is on the phone.
    if (type === "PIN_ACCEPTED") return !isSending(snapshot);
    // Sending gives up after a minute, and a PIN expires long before the device's deadline.
    if (type === (DEADLINE as string))
      return !isSending(snapshot) && !snapshot.matches({ unverified: "awaiting_pin" });
    return true;
  },
  keyOf({ value, context: { triesRemaining, delivery, deliveryProblem } }) {
    const shown = typeof value === "string" ? [] : [triesRemaining, delivery, deliveryProblem];
    return JSON.stringify([value, ...shown]);
  },
};

const isSending = (snapshot: Snapshot) => snapshot.matches({ unverified: "sending_pin" });

const ILLEGAL: Partial<Record<string, Partial<Record<string, ProblemCode>>>> = {
  sending_pin: { pin: "illegal_transition", restart: "illegal_transition" },
  awaiting_pin: { pin: "send_limit", restart: "illegal_transition" },
  pin_expired: { verify: "pin_expired", restart: "illegal_transition" },
  pin_void: { pin: "send_limit", verify: "pin_expired", restart: "illegal_transition" },
  delivery_failed: {
    pin: "send_limit",
    verify: "illegal_transition",
    restart: "illegal_transition",
  },
  verified: { ...VERIFIED, remove: "remove_all_required" },
  removed: GONE,
  dropped: GONE,
};

/** A new user's phone, driven through its pairing. */
export async function drive(stack: Stack): Promise<Driven<typeof machine>> {
  const { api } = stack;
  const owner = await stack.createUser();
  const phone = newPhone();
  const first = await logInByPassword(stack, owner);
  stack.failSms("hang");
  const { id } = (await api.registerPhone(first.token, phone)).body;
  await hangs();
  const { report, forged } = reporter(stack, workflowIds.enrollment("sms", id));
  let pin = "1234";
  let verified = false;
  const logIn = () =>
    verified ? logInBySms(stack, owner, phone.e164) : logInByPassword(stack, owner);
  const requests = deviceRequests(stack, { owner, id, type: "sms" }, logIn);

  function hangs() {
    return until(
      async () => stack.hangingSms(),
      (count) => count > 0,
    );
  }
  async function arrives() {
    stack.failSms();
    pin = await stack.pinTo(phone.e164);
  }
  const verify = async (code: string) => api.verifyDevice(await requests.token(), id, code);

  const moves: Record<string, (event: Event) => Promise<unknown>> = {
    PIN_SENT: arrives,
    DELIVERY_FAILED: async () => stack.failSms("undeliverable"),
    async RESEND() {
      await stack.advance(sendInterval);
      stack.failSms("hang");
      (await api.resendPin(await requests.token(), id)).body;
      await hangs();
    },
    DELIVERY_REPORTED: (event) => report(event as Parameters<typeof report>[0]),
    PIN_REJECTED: async () => (await verify(wrongCode(pin))).problem,
    async PIN_VOIDED() {
      for (let tries = 1; tries <= 5; tries++)
        if ((await verify(wrongCode(pin))).problem.triesRemaining === 0) return;
      throw new Error("Five wrong PINs did not void it");
    },
    async PIN_ACCEPTED() {
      (await verify(pin)).body;
      verified = true;
      requests.forget();
    },
    REMOVE: async () =>
      (await api.call("DELETE", `/v1/me/devices/${id}`, { token: await requests.token() })).body,
    [PIN_DEADLINE]: () => stack.advance(inputs[0]?.pinLifetimeMs ?? 0),
    async [DEADLINE]() {
      await stack.advance(inputs[0]?.lifetimeMs ?? 0);
      requests.forget();
    },
  };

  return {
    async move(event, from, to) {
      await moves[event.type]?.(event);
      if (isSending(from) && !isSending(to) && !/SENT|FAILED/.test(event.type)) {
        await until(requests.device, (device) => device?.state !== "sending_pin");
        await arrives();
      }
    },
    async shown() {
      const device = await requests.device();
      if (!device) return null;
      const { state, delivery, problem, triesRemaining, next } = device;
      return { state, delivery, problem, triesRemaining, next };
    },
    expected(snapshot) {
      if (snapshot.matches("removed") || snapshot.matches("dropped")) return null;
      const view = smsEnrollmentView(snapshot);
      // A verified phone is shown from the store, which does not keep how it was verified.
      if (view.state === "verified")
        return {
          state: view.state,
          ...{ delivery: null, problem: null, triesRemaining: null, next: [] },
        };
      const { state, delivery = null, problem = null, triesRemaining = null, next } = view;
      return { state, delivery, problem, triesRemaining, next };
    },
    async illegal(snapshot) {
      const own = ILLEGAL[smsEnrollmentView(snapshot).state] ?? {};
      // The first refusal in an hour writes an audit event, so send it before the comparison.
      if (own.pin === "send_limit") await api.resendPin(await requests.token(), id);
      return [forged, ...(await requests.illegal(own))];
    },
    traces: requests.traces,
    async end() {
      stack.failSms();
    },
  };
}
