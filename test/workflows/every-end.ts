import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type AnyStateMachine, type AnyStateNode, StateMachine } from "xstate";
import type {
  AuditMaintenanceResult,
  DeviceRemovalResult,
  NoticeResult,
} from "../../workflows/messages.ts";

const machines = join(import.meta.dirname, "../../machines");

/** The results of the workflows without a machine. The type check fails if one is missing. */
const removal: Record<DeviceRemovalResult, true> = {
  removed: true,
  multi_factor_off: true,
  gone: true,
  remove_all_required: true,
  overtaken: true,
};
const notice: Record<NoticeResult, true> = {
  sent: true,
  no_address: true,
  refused: true,
  mail_off: true,
  given_up: true,
};
const auditMaintenance: Record<AuditMaintenanceResult, true> = {
  nothing_due: true,
  dropped: true,
  given_up: true,
};
const PLAIN: Record<string, object> = { deviceRemoval: removal, notice, auditMaintenance };

/** Every end that a flow can have: `<workflow type>: <final state, or result>`. */
export async function everyEnd(): Promise<string[]> {
  const files = readdirSync(machines).map((file) => import(join(machines, file)));
  const charts = (await Promise.all(files))
    .flatMap((exported: object) => Object.values(exported))
    .filter((value): value is AnyStateMachine => value instanceof StateMachine);
  return [
    ...charts.flatMap(({ id, root }) => finals(root).map((state) => `${id}: ${state}`)),
    ...Object.entries(PLAIN).flatMap(([type, ends]) =>
      Object.keys(ends).map((end) => `${type}: ${end}`),
    ),
  ];
}

/** The top-level final states of a machine. */
const finals = ({ states }: AnyStateNode): string[] =>
  Object.values(states).flatMap(({ key, type }) => (type === "final" ? [key] : []));
