import type { ProblemCode } from "../../../core/problem.ts";
import type { Method } from "../../../store/methods.ts";
import { workflowIds } from "../../../workflows/ids.ts";
import type { Person } from "../../support/people.ts";
import { logInByPassword } from "../../support/scenarios.ts";
import type { Stack } from "../../support/stack.ts";
import { eventsOf, freshSession, historyLength } from "./people.ts";
import type { Illegal } from "./walk.ts";

/** The requests about a device, from its owner and from others. */
export function deviceRequests(
  stack: Stack,
  { owner, id, type }: { owner: Person; id: string; type: Method },
  logIn: () => Promise<{ token: string }>,
) {
  const { api } = stack;
  const { token, forget } = freshSession(stack, logIn);
  const wrongCode = type === "sms" ? "0000" : "000000";
  const path = `/v1/me/devices/${id}`;
  const all = (token?: string): Record<string, Illegal["send"]> => ({
    pin: () => api.call("POST", `${path}/pin`, { token }),
    verify: () => api.call("POST", `${path}/verify`, { token, body: { code: wrongCode } }),
    restart: () => api.call("POST", `${path}/restart`, { token }),
    remove: () => api.call("DELETE", path, { token }),
  });

  return {
    token,
    forget,
    wrongCode,
    /** The owner's illegal requests, and all requests of others. */
    async illegal(own: Partial<Record<string, ProblemCode>>): Promise<Illegal[]> {
      const requests = all(await token());
      const other = all((await logInByPassword(stack, await stack.createUser())).token);
      const say = (whose: string, sends: ReturnType<typeof all>, code: ProblemCode) =>
        Object.entries(sends).map(([name, send]) => ({ request: `${name}${whose}`, send, code }));
      return [
        ...Object.entries(own).flatMap(([request, code]) =>
          code ? [{ request, send: requests[request] as Illegal["send"], code }] : [],
        ),
        ...say(" by another user", other, "device_not_found"),
        ...say(" without a session", all(), "unauthenticated"),
      ];
    },
    /** The device as the API shows it; undefined when it is gone. */
    async device() {
      const { devices } = (await api.multiFactor(await token())).body;
      return devices.find((device) => device.id === id);
    },
    async traces() {
      const { body } = await api.multiFactor(await token());
      const flow = workflowIds.enrollment(type, id);
      const history = await historyLength(stack, flow, { hanging: stack.hangingSms() });
      return { body, history, events: await eventsOf(stack, { userId: owner.id }) };
    },
  };
}

/** The refusal of each request once the device is verified, or gone. */
export const VERIFIED = {
  pin: "device_verified_already",
  verify: "device_verified_already",
  restart: "device_verified_already",
} as const;
export const GONE = {
  pin: "device_not_found",
  verify: "device_not_found",
  restart: "device_not_found",
  remove: "device_not_found",
} as const;
