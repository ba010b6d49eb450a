import { generateSync } from "otplib";
import type { EventFromLogic } from "xstate";
import type { OtpSetup } from "../../../core/devices/otp.ts";
import type { ProblemCode } from "../../../core/problem.ts";
import type { otpEnrollmentMachine as machine } from "../../../machines/otp-enrollment.ts";
import { provenOnceView } from "../../../workflows/views.ts";
import type { PathRules } from "../../support/paths.ts";
import { logInByPassword, startChallenge } from "../../support/scenarios.ts";
import type { Stack } from "../../support/stack.ts";
import { deviceRequests, GONE, VERIFIED } from "./devices.ts";
import { sendInterval } from "./people.ts";
import type { Driven } from "./walk.ts";

type Event = EventFromLogic<typeof machine>;

const DEADLINE = "xstate.after.enrollmentLifetime.otpEnrollment.unverified";
const origin = {};

export const inputs = [{ lifetimeMs: 604_800_000 }];

export const rules: PathRules<typeof machine> = {
  events: [
    { type: "RESTART" },
    { type: "CODE_REJECTED" },
    { type: "CODE_ACCEPTED", makeDefault: true, signOut: true, origin },
    { type: "CODE_ACCEPTED", makeDefault: false, signOut: false, origin },
    { type: "REMOVE", origin },
    { type: "DEVICE_VERIFIED" },
    { type: "DEVICE_GONE" },
    { type: DEADLINE } as never,
  ],
  happens: (snapshot, { type }) =>
    type === "DEVICE_GONE"
      ? !snapshot.matches("verifying")
      : type !== "CODE_REJECTED" || snapshot.context.rejected < 2,
  keyOf: ({ value, context }) => JSON.stringify([value, context.rejected, context.signOut]),
};

const ILLEGAL: Partial<Record<string, Partial<Record<string, ProblemCode>>>> = {
  awaiting_code: { pin: "illegal_transition" },
  verified: VERIFIED,
  removed: GONE,
  dropped: GONE,
};

/** A new user's authenticator app, driven through its pairing. */
export async function drive(stack: Stack): Promise<Driven<typeof machine>> {
  const { api } = stack;
  const owner = await stack.createUser();
  const first = await logInByPassword(stack, owner);
  const body = { name: "App" };
  const added = await api.call<OtpSetup>("POST", "/v1/me/devices/otp", {
    ...{ token: first.token, body },
  });
  const { id } = added.body.device;
  let { secret } = added.body;
  let verified = false;
  const code = () => generateSync({ secret, epoch: Math.floor(stack.clock.now() / 1000) });
  const requests = deviceRequests(stack, { owner, id, type: "otp" }, async () => {
    if (!verified) return logInByPassword(stack, owner);
    const challenge = await startChallenge(stack, owner);
    // Each code works only once, so wait for the next one.
    await stack.advance(sendInterval);
    return (await api.verifyPasscode(challenge.id, code())).body.session;
  });
  const call = async (method: string, what: string, body?: object) =>
    api.call<OtpSetup>(method, `/v1/me/devices/${id}${what}`, {
      ...{ token: await requests.token(), body },
    });

  const moves: Record<string, (event: Event) => Promise<unknown>> = {
    async RESTART() {
      secret = (await call("POST", "/restart")).body.secret;
    },
    CODE_REJECTED: async () =>
      (await call("POST", "/verify", { code: code() === "000000" ? "000001" : "000000" })).problem,
    async CODE_ACCEPTED(event) {
      if (event.type !== "CODE_ACCEPTED") return;
      const { makeDefault } = event;
      (await call("POST", "/verify", { code: code(), makeDefault })).body;
      verified = true;
      if (makeDefault) requests.forget();
    },
    REMOVE: async () => (await call("DELETE", "")).body,
    async [DEADLINE]() {
      await stack.advance(inputs[0]?.lifetimeMs ?? 0);
      requests.forget();
    },
  };

  return {
    async move(event) {
      await moves[event.type]?.(event);
    },
    async shown() {
      const device = await requests.device();
      return device ? { state: device.state, next: device.next } : null;
    },
    expected(snapshot) {
      if (snapshot.matches("removed") || snapshot.matches("dropped")) return null;
      const { state, next } = provenOnceView(snapshot);
      // A verified app is shown from the store, and can be removed at any time.
      return { state, next: state === "verified" ? ["remove"] : next };
    },
    illegal: (snapshot) => requests.illegal(ILLEGAL[provenOnceView(snapshot).state] ?? {}),
    traces: requests.traces,
    async end() {},
  };
}
