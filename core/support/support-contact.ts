import type { SupportContact } from "../../config.ts";
import { Problem } from "../problem.ts";

/**
 * Adds the contact of Support to the refusal of a locked user, in the text and as a member. Returns
 * other problems unchanged.
 */
export function withSupport(problem: Problem, contact: SupportContact | undefined): Problem {
  const { code, message, extra } = problem;
  if (code !== "account_locked" || !contact) return problem;
  const members = { ...extra.members, supportContact: contact.href ?? contact.text };
  return new Problem(code, message.replace(/\.$/, `: ${contact.text}.`), { ...extra, members });
}
