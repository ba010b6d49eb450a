import type { Context } from "hono";
import { z } from "zod";
import type { CoreDeps } from "../../core/deps.ts";
import type { Proof, UnverifiedOf } from "../../core/devices/devices.ts";
import { isNewDeviceInactive } from "../../core/devices/enable.ts";
import type { Method } from "../../store/methods.ts";
import type { Device } from "../../store/postgres/schema.ts";
import { clientInfoOf } from "../http/client.ts";
import { codeSchema } from "../http/inputs.ts";
import { readBody } from "./body.ts";
import { callerOnOwnPath } from "./caller.ts";
import { devicesOf, namedDevice, namedUnverified } from "./devices.ts";

/** The body with a device's PIN or code, for phones and apps alike. */
const proofSchema = z.object({
  "RAX-AUTH:verificationCode": z.object({ code: codeSchema }),
});

/** Handlers that show the caller's devices of one kind: all of them, or the one the path names. */
export function showHandlers(
  deps: CoreDeps,
  kind: Method,
  members: { one: string; many: string },
  describe: (device: Device) => object,
) {
  return {
    all: async (c: Context) => {
      const devices = await devicesOf(deps, await callerOnOwnPath(c, deps), kind);
      return c.json({ [members.many]: devices.map(describe) }, 200);
    },
    one: async (c: Context) => {
      const device = await namedDevice(c, deps, await callerOnOwnPath(c, deps), kind);
      return c.json({ [members.one]: describe(device) }, 200);
    },
  };
}

/** A handler that verifies the device of this kind the path names, with the code in the body. */
export function verifyHandler<K extends Method>(
  deps: CoreDeps,
  kind: K,
  verify: (
    deps: CoreDeps,
    device: UnverifiedOf<K>,
    proof: Proof,
    origin: ReturnType<typeof clientInfoOf>,
  ) => unknown,
) {
  return async (c: Context) => {
    const session = await callerOnOwnPath(c, deps);
    const device = await namedUnverified(c, deps, session, kind);
    const { code } = (await readBody(c, proofSchema))["RAX-AUTH:verificationCode"];
    const proof = { code, makeDefault: false, inactive: await isNewDeviceInactive(deps, session) };
    await verify(deps, device, proof, clientInfoOf(c, deps.config.TRUSTED_PROXIES));
    return c.body(null, 204);
  };
}
