import type { Context } from "hono";
import { z } from "zod";
import type { Deps } from "../../core/deps.ts";
import { ownDevice, type UnverifiedOf, unverifiedDevice } from "../../core/devices/devices.ts";
import { Problem } from "../../core/problem.ts";
import type { Method } from "../../store/methods.ts";
import { listDevices } from "../../store/postgres/devices.ts";
import type { Device } from "../../store/postgres/schema.ts";
import type { Session } from "../../store/redis/sessions/sessions.ts";
import { codeSchema } from "../http/inputs.ts";
import { param } from "./caller.ts";

/** Where the user's multi-factor authentication is found. */
export const MULTI_FACTOR = "/v2.0/users/:userId/RAX-AUTH/multi-factor";

/** The code that proves a device of either kind. */
export const proofSchema = z.object({
  "RAX-AUTH:verificationCode": z.object({ code: codeSchema }),
});

/** The caller's devices of that kind. */
export async function devicesOf({ db }: Deps, { userId }: Session, kind: Method) {
  return (await listDevices(db, userId)).filter(({ type }) => type === kind);
}

/** Whether the user has shown that the device is theirs, be it put aside. */
export const isProven = ({ verifiedAt, asideAt }: Device) => (verifiedAt ?? asideAt) !== null;

/** The device of that kind which the path names. Throws `device_not_found`. */
export async function namedDevice(
  c: Context,
  deps: Deps,
  owner: Pick<Session, "userId">,
  kind: Method,
): Promise<Device> {
  const device = await ownDevice(deps, owner, param(c, "deviceId"));
  if (device.type !== kind) throw new Problem("device_not_found");
  return device;
}

/** The same, where it is still to be verified. Throws `device_verified_already` too. */
export async function namedUnverified<K extends Method>(
  c: Context,
  deps: Deps,
  session: Session,
  kind: K,
): Promise<UnverifiedOf<K>> {
  const { id } = await namedDevice(c, deps, session, kind);
  return (await unverifiedDevice(deps, session, id)) as UnverifiedOf<K>;
}

/** Where something just made is found: absolute where the service knows its address. */
export function location(c: Context, { config }: Deps, id: string): string {
  const path = `${c.req.path}/${id}`;
  return config.PUBLIC_URL ? new URL(path, config.PUBLIC_URL).href : path;
}
