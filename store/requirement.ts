import type { Account, User } from "./postgres/schema.ts";

/** What is required of whom, and the end of a grace period. */
export type Required = Pick<Account, "requirement" | "enforceAfter">;

/** The service's own rule about roles; see config.ts. */
export type RolesRule = { ADMINISTRATORS_NEED_MFA: boolean };

/**
 * Whether the role alone requires a second factor, at once and whatever account and user say: Support
 * works on every account; administrators need one where the service is set so.
 */
export function roleNeedsMfa(
  { role }: Pick<User, "role">,
  { ADMINISTRATORS_NEED_MFA }: RolesRule,
): boolean {
  return role === "support" || (role === "administrator" && ADMINISTRATORS_NEED_MFA);
}

/** Who requires a second factor of the user, as the subject of a sentence; for whom it is required. */
export function whoRequires(user: Pick<User, "requirement" | "role">, rule: RolesRule): string {
  if (roleNeedsMfa(user, rule))
    return `Your role as ${user.role === "support" ? "a Support operator" : "an administrator"}`;
  return user.requirement ? "Your administrator" : "Your account";
}

/** What is required of the user: by their role or their own requirement, at once; else by the account's. */
export function requirementOf(
  { user, account }: { user: Pick<User, "requirement" | "role">; account: Required },
  rule: RolesRule,
): Required {
  if (roleNeedsMfa(user, rule)) return { requirement: "required", enforceAfter: null };
  return user.requirement ? { requirement: user.requirement, enforceAfter: null } : account;
}

/** When a second factor begins to be required; undefined where it is now, or never. */
export function requiredFrom(
  { requirement, enforceAfter }: Required,
  now: number,
): string | undefined {
  const ahead = requirement === "required" && enforceAfter && enforceAfter.getTime() > now;
  return ahead ? enforceAfter.toISOString() : undefined;
}

/** Whether a second factor is required by now. */
export function isRequired(required: Required, now: number): boolean {
  return required.requirement === "required" && requiredFrom(required, now) === undefined;
}
