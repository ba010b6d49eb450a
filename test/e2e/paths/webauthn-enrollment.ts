import type { EventFromLogic } from "xstate";
import type { ProblemCode } from "../../../core/problem.ts";
import type { webauthnEnrollmentMachine as machine } from "../../../machines/webauthn-enrollment.ts";
import { provenOnceView } from "../../../workflows/views.ts";
import { craftedKey } from "../../support/crafted-keys.ts";
import { keyCalls } from "../../support/keys.ts";
import type { PathRules } from "../../support/paths.ts";
import { logInByPassword, startChallenge } from "../../support/scenarios.ts";
import type { Stack } from "../../support/stack.ts";
import { deviceRequests, GONE, VERIFIED } from "./devices.ts";
import type { Driven } from "./walk.ts";

type Event = EventFromLogic<typeof machine>;

const DEADLINE = "xstate.after.enrollmentLifetime.webauthnEnrollment.unverified";
const origin = {};

export const inputs = [{ lifetimeMs: 600_000 }];

export const rules: PathRules<typeof machine> = {
  events: [
    { type: "RESTART" },
    { type: "CREDENTIAL_REJECTED" },
    { type: "CREDENTIAL_ACCEPTED", makeDefault: true, signOut: true, origin },
    { type: "CREDENTIAL_ACCEPTED", makeDefault: false, signOut: false, origin },
    { type: "REMOVE", origin },
    { type: "DEVICE_VERIFIED" },
    { type: "DEVICE_GONE" },
    { type: DEADLINE } as never,
  ],
  happens: (snapshot, { type }) =>
    type === "DEVICE_GONE"
      ? !snapshot.matches("verifying")
      : type !== "CREDENTIAL_REJECTED" || snapshot.context.rejected < 2,
  keyOf: ({ value, context }) => JSON.stringify([value, context.rejected, context.signOut]),
};

const ILLEGAL: Partial<Record<string, Partial<Record<string, ProblemCode>>>> = {
  awaiting_credential: { pin: "illegal_transition" },
  verified: VERIFIED,
  removed: GONE,
  dropped: GONE,
};

/** A new user's security key, driven through its registration. */
export async function drive(stack: Stack): Promise<Driven<typeof machine>> {
  const owner = await stack.createUser();
  const calls = keyCalls(stack.api);
  const first = await logInByPassword(stack, owner);
  const key = craftedKey();
  const { device, options } = (await calls.register(first.token)).body;
  const { id } = device;
  // An answer to options takes them, so what comes next asks for new ones.
  let asked: typeof options | undefined = options;
  let verified = false;
  const requests = deviceRequests(stack, { owner, id, type: "webauthn" }, async () => {
    if (!verified) return logInByPassword(stack, owner);
    const challenge = await startChallenge(stack, owner);
    const { options } = (await calls.options(challenge.id)).body;
    return (await calls.answer(challenge.id, key.get(options as { challenge: string }))).body
      .session;
  });
  const current = async (token: string) => {
    const these = asked ?? (await calls.restart(token, id)).body.options;
    asked = undefined;
    return these;
  };

  const moves: Record<string, (event: Event) => Promise<unknown>> = {
    async RESTART() {
      asked = (await calls.restart(await requests.token(), id)).body.options;
    },
    async CREDENTIAL_REJECTED() {
      const token = await requests.token();
      const dishonest = key.create(await current(token), { origin: "https://evil.test" });
      return (await calls.verify(token, id, dishonest)).problem;
    },
    async CREDENTIAL_ACCEPTED(event) {
      if (event.type !== "CREDENTIAL_ACCEPTED") return;
      const token = await requests.token();
      const credential = key.create(await current(token));
      (await calls.verify(token, id, credential, event.makeDefault)).body;
      verified = true;
      if (event.makeDefault) requests.forget();
    },
    REMOVE: async () =>
      (await stack.api.call("DELETE", `/v1/me/devices/${id}`, { token: await requests.token() }))
        .body,
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
      // A verified key is shown from the store, and can be removed at any time.
      return { state, next: state === "verified" ? ["remove"] : next };
    },
    illegal: (snapshot) => requests.illegal(ILLEGAL[provenOnceView(snapshot).state] ?? {}),
    traces: requests.traces,
    async end() {},
  };
}
