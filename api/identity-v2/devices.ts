import type { Context } from "hono";
import type { CoreDeps } from "../../core/deps.ts";
import { ownDevice, type UnverifiedOf, unverifiedDevice } from "../../core/devices/devices.ts";
import { Problem } from "../../core/problem.ts";
import type { Method } from "../../store/methods.ts";
import { listDevices } from "../../store/postgres/devices.ts";
import type { Device } from "../../store/postgres/schema.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { param } from "./caller.ts";

/** The base path of a user's multi-factor settings. */
export const MULTI_FACTOR = "/v2.0/users/:userId/RAX-AUTH/multi-factor";

/** The caller's devices of that kind. */
export async function devicesOf({ db }: CoreDeps, { userId }: Session, kind: Method) {
  return (await listDevices(db, userId)).filter(({ type }) => type === kind);
}

/** Whether the user has verified the device. An inactive device counts too. */
export const isProven = ({ verifiedAt, inactiveAt }: Device) => (verifiedAt ?? inactiveAt) !== null;

/** The device of this kind that the path names. Throws `device_not_found`. */
export async function namedDevice(
  c: Context,
  deps: CoreDeps,
  owner: Pick<Session, "userId">,
  kind: Method,
): Promise<Device> {
  const device = await ownDevice(deps, owner, param(c, "deviceId"));
  if (device.type !== kind) throw new Problem("device_not_found");
  return device;
}

/**
 * Like `namedDevice`, for a device that is not verified yet. Also throws `device_verified_already`.
 */
export async function namedUnverified<K extends Method>(
  c: Context,
  deps: CoreDeps,
  session: Session,
  kind: K,
): Promise<UnverifiedOf<K>> {
  const { id } = await namedDevice(c, deps, session, kind);
  return (await unverifiedDevice(deps, session, id)) as UnverifiedOf<K>;
}

/** The Location of a new resource: an absolute URL if PUBLIC_URL is set, else a path. */
export function location(c: Context, { config }: CoreDeps, id: string): string {
  const path = `${c.req.path}/${id}`;
  return config.PUBLIC_URL ? new URL(path, config.PUBLIC_URL).href : path;
}
