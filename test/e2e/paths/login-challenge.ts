import { generateSync } from "otplib";
import type { EventFromLogic, SnapshotFrom } from "xstate";
import { recoveryHash } from "../../../core/devices/recovery-codes.ts";
import { spendPasscodeSend } from "../../../core/limits/send-limits.ts";
import type { ProblemCode } from "../../../core/problem.ts";
import type { loginChallengeMachine as machine } from "../../../machines/login-challenge.ts";
import type { Method } from "../../../machines/methods.ts";
import { newOwnedId } from "../../../store/ids.ts";
import { newRecoveryCodes } from "../../../store/recovery-codes.ts";
import { HOUR_MS } from "../../../units.ts";
import { workflowIds } from "../../../workflows/ids.ts";
import { challengeView } from "../../../workflows/views.ts";
import { codeAt, userWithApp } from "../../support/apps.ts";
import { keyCalls } from "../../support/keys.ts";
import type { PathRules } from "../../support/paths.ts";
import { challengeSent, startChallenge } from "../../support/scenarios.ts";
import type { Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";
import { eventsOf, giveDevices, historyLength, sendInterval } from "./people.ts";
import { reportEvents, reporter } from "./reports.ts";
import type { Driven, Illegal } from "./walk.ts";

type Snapshot = SnapshotFrom<typeof machine>;
type Event = EventFromLogic<typeof machine>;

const DEADLINE = "xstate.after.challengeLifetime.loginChallenge.open";
const origin = {};

export const inputs = (
  [
    ["sms", ["sms"], true],
    ["sms", ["otp", "sms"], true],
    ["otp", ["otp"], true],
    ["otp", ["otp", "sms"], true],
    ["webauthn", ["webauthn"], true],
    ["webauthn", ["webauthn", "sms"], true],
    // The user's message budget is used up, and full again 30 seconds later.
    ["sms", ["sms"], false],
    ["sms", ["otp", "sms"], false],
  ] as const
).map(([method, methods, maySend]) => ({
  method,
  methods: [...methods],
  maySend,
  lifetimeMs: 600_000,
}));

export const rules: PathRules<typeof machine> = {
  events: [
    { type: "RESEND" },
    { type: "CHOOSE_METHOD", method: "sms", maySend: true },
    { type: "CHOOSE_METHOD", method: "sms", maySend: false },
    { type: "CHOOSE_METHOD", method: "otp", maySend: false },
    { type: "CHOOSE_METHOD", method: "webauthn", maySend: false },
    { type: "PASSCODE_SENT" },
    { type: "DELIVERY_FAILED", reason: "unreachable_number" },
    ...reportEvents(4),
    { type: "PASSCODE_REJECTED", failures: 1 },
    { type: "PASSCODE_ACCEPTED", factor: "recovery_code", origin },
    { type: "ACCOUNT_LOCKED", origin },
    { type: "WITHDRAW", reason: "multi_factor_reset" },
    { type: DEADLINE } as never,
  ],
  happens(snapshot, event) {
    const { sendings, maySend } = snapshot.context;
    // Sending gives up after a minute, so the challenge's deadline does not come first.
    if (event.type === (DEADLINE as string)) return !isSending(snapshot);
    // A message was just sent, or the budget was used up from the start.
    if (event.type === "CHOOSE_METHOD" && event.method === "sms" && !event.maySend)
      return sendings > 0 || !maySend;
    return true;
  },
  keyOf({ value, status, context: { methods, method, failures, delivery, deliveryProblem } }) {
    const message = status === "active" ? [delivery, deliveryProblem] : [];
    return JSON.stringify([value, methods, method, failures > 0, ...message]);
  },
  longest: 4,
};

const isSending = (snapshot: Snapshot) => snapshot.matches({ open: "sending_passcode" });

/** The refusal of every request once the challenge has ended. */
const OVER: Partial<Record<string, ProblemCode>> = {
  authenticated: "illegal_transition",
  expired: "challenge_expired",
  withdrawn: "challenge_expired",
  locked: "account_locked",
};

/** The view after a return to SMS too soon for another passcode. */
const PASSCODE_OUT = {
  ...{ state: "awaiting_passcode", delivery: "sent", problem: undefined },
  next: ["verify", "resend", "method"],
};

/** A new user's login, at its second step. */
export async function drive(
  stack: Stack,
  { method, methods, maySend }: { method: Method; methods: Method[]; maySend: boolean },
): Promise<Driven<typeof machine>> {
  const { api, deps } = stack;
  const user = await stack.createUser();
  const { e164, secret, key, giveRecoveryCodes } = await giveDevices(stack, user, methods, method);
  const recoveryCodes = newRecoveryCodes(2);
  await giveRecoveryCodes(recoveryCodes.flatMap((code) => recoveryHash(deps, user.id, code) ?? []));
  const support = await userWithApp(stack, { role: "support" });
  if (!maySend) await spendBudget();
  const sends = method === "sms" && maySend;
  if (sends) stack.failSms("hang");
  const { id } = await startChallenge(stack, user);
  if (sends) await hangs();
  const { report, forged } = reporter(stack, workflowIds.loginChallenge(id));
  let passcode = "";

  /** Uses up the budget, as if the user had logged in twenty times an hour ago. */
  async function spendBudget() {
    const login = { userId: user.id, phoneNumber: e164 };
    for (let n = 0; n < deps.config.limits.passcode.perHour; n++)
      await spendPasscodeSend(deps, { ...login, challengeId: newOwnedId(user.id) });
    await stack.advance(HOUR_MS - sendInterval);
  }
  /** Waits until a message hangs at the provider. */
  function hangs() {
    return until(
      async () => stack.hangingSms(),
      (count) => count > 0,
    );
  }
  /** Lets a hanging message arrive. */
  async function arrives() {
    stack.failSms();
    passcode = await stack.passcodeTo(e164);
  }
  const wrong = () => api.verifyPasscode(id, passcode === "0000000" ? "0000001" : "0000000");
  const calls = keyCalls(api);
  const asked = async () => (await calls.options(id)).body.options as { challenge: string };
  const rightFor = ({ context, value }: Snapshot) => {
    if (context.method === "otp")
      return generateSync({ secret, epoch: Math.floor(stack.clock.now() / 1000) });
    return JSON.stringify(value).includes("awaiting") ? passcode : (recoveryCodes[0] as string);
  };

  const moves: Record<string, (event: Event, from: Snapshot, to: Snapshot) => Promise<unknown>> = {
    PASSCODE_SENT: arrives,
    DELIVERY_FAILED: async () => stack.failSms("undeliverable"),
    async RESEND() {
      await stack.advance(sendInterval);
      stack.failSms("hang");
      expect202(await api.resendPasscode(id));
      await hangs();
    },
    async CHOOSE_METHOD(event, from) {
      if (event.type !== "CHOOSE_METHOD") return;
      const { method, maySend } = event;
      const sends = method === "sms" && maySend;
      if (sends) {
        await stack.advance(sendInterval);
        stack.failSms("hang");
      }
      (await api.chooseMethod(id, method)).body;
      if (sends) await hangs();
      else if (isSending(from)) await arrives();
    },
    DELIVERY_REPORTED: (event) => report(event as Parameters<typeof report>[0]),
    PASSCODE_REJECTED: async () => (await wrong()).problem,
    PASSCODE_ACCEPTED: async (_event, from) =>
      from.context.method === "webauthn"
        ? (await calls.answer(id, key.get(await asked()))).body.session
        : (await api.verifyPasscode(id, rightFor(from))).body.session,
    async ACCOUNT_LOCKED() {
      for (let tries = 0; tries < 7; tries++) if ((await wrong()).status === 423) return;
      throw new Error("Seven wrong passcodes did not lock");
    },
    async WITHDRAW() {
      // Uses the code of the step after the app's verification, so that the clock need not move.
      const { id: second } = await startChallenge(stack, support.user);
      const code = codeAt(support.secret, stack.clock.now());
      const { token } = (await api.verifyPasscode(second, code)).body.session;
      const body = { reason: "lost everything" };
      const path = `/v1/support/users/${user.id}/reset-multi-factor`;
      (await api.call("POST", path, { token, body })).body;
    },
    [DEADLINE]: () => stack.advance(deps.config.limits.challengeMs + 1000),
  };

  return {
    async move(event, from, to) {
      await moves[event.type]?.(event, from, to);
      // A message of a state that was left still arrives, but its passcode does not work.
      if (isSending(from) && !isSending(to) && !/SENT|FAILED|CHOOSE/.test(event.type)) {
        await challengeSent(stack, id);
        await arrives();
      }
    },
    async shown() {
      const { state, method, methods, problem, delivery, next } = (await api.challenge(id)).body;
      return { state, method, methods, problem, delivery, next };
    },
    expected(snapshot) {
      const { method, methods, ...view } = challengeView(snapshot);
      // The flow has sent no message now. The earlier passcode still works.
      const { deliveryProblem, sendings } = snapshot.context;
      const isOut =
        view.state === "delivery_failed" && deliveryProblem === "send_limit" && sendings > 0;
      const { state, problem, delivery, next } = isOut ? PASSCODE_OUT : view;
      return {
        ...{ state, method, methods },
        problem: problem ?? null,
        delivery: delivery ?? null,
        next,
      };
    },
    async illegal(snapshot) {
      const { state, next, methods } = challengeView(snapshot);
      const over = OVER[state];
      const resend = () => api.resendPasscode(id);
      const send: Record<string, Illegal["send"]> = {
        "verify by SMS": wrong,
        "verify by app": () => api.verifyPasscode(id, "000000"),
        "verify by recovery code": () => api.verifyPasscode(id, recoveryCodes[1] as string),
        resend,
        "method sms": () => api.chooseMethod(id, "sms"),
        "method otp": () => api.chooseMethod(id, "otp"),
        "method webauthn": () => api.chooseMethod(id, "webauthn"),
        "options for a key": () => calls.options(id),
      };
      const sent = snapshot.context.sendings > 0 ? [forged] : [];
      if (over)
        return [
          ...sent,
          ...Object.entries(send).map(([request, send]) => ({ request, send, code: over })),
        ];
      const nonsense = () => api.verifyPasscode(id, "12");
      const found: Illegal[] = [
        ...sent,
        { request: "verify nonsense", send: nonsense, code: "invalid_request" },
      ];
      const say = (request: string, code: ProblemCode) =>
        found.push({ request, code, send: send[request] as Illegal["send"] });
      if (!next.includes("resend")) say("resend", "illegal_transition");
      else {
        // The first refusal in an hour writes an audit event, so send it before the comparison.
        await resend();
        say("resend", "send_limit");
      }
      for (const each of ["sms", "otp", "webauthn"] as const)
        if (!methods.includes(each)) say(`method ${each}`, "method_not_configured");
      return found;
    },
    async traces() {
      const { body } = await api.challenge(id);
      const flow = workflowIds.loginChallenge(id);
      const history = await historyLength(stack, flow, { hanging: stack.hangingSms() });
      return { body, history, events: await eventsOf(stack, { userId: user.id }) };
    },
    async end() {
      stack.failSms();
    },
  };
}

function expect202({ status, text }: { status: number; text: string }) {
  if (status !== 202) throw new Error(text);
}
