import type { SupportContact } from "../../config.ts";
import { Problem } from "../problem.ts";

/** A lock's refusal that names the way to Support, for people and as a member; others as they are. */
export function withSupport(problem: Problem, contact: SupportContact | undefined): Problem {
  const { code, message, extra } = problem;
  if (code !== "account_locked" || !contact) return problem;
  const members = { ...extra.members, supportContact: contact.href ?? contact.text };
  return new Problem(code, message.replace(/\.$/, `: ${contact.text}.`), { ...extra, members });
}
