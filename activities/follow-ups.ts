import type { AuditEvent } from "../store/postgres/schema.ts";
import { noticesOf } from "./notify.ts";

/** A workflow that an event begins; its id, made from the event's, keeps it from beginning twice. */
export type FollowUp = {
  /** The workflow's type. */
  type: string;
  workflowId: string;
  args: object;
  /** What operators read in its line. */
  summary: string;
  /** What it begins with, as `MfaState`. */
  state?: string;
};

/** The workflows that an event begins. */
export function followUps(event: AuditEvent): FollowUp[] {
  return noticesOf(event);
}
