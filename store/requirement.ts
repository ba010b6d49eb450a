import type { Account, User } from "./postgres/schema.ts";

/** Whether a second factor is required, and the end of the grace period. */
export type Required = Pick<Account, "requirement" | "enforceAfter">;

/** The service's own rule about roles; see config.ts. */
export type RolesRule = { ADMINISTRATORS_NEED_MFA: boolean };

/**
 * Whether the role alone requires a second factor, at once and regardless of account and user.
 * Support always needs one, because it works on every account. Administrators need one if the
 * service is configured so.
 */
export function roleNeedsMfa(
  { role }: Pick<User, "role">,
  { ADMINISTRATORS_NEED_MFA }: RolesRule,
): boolean {
  return role === "support" || (role === "administrator" && ADMINISTRATORS_NEED_MFA);
}

/**
 * Who requires a second factor of the user, as the subject of a sentence. Only for users who need
 * one.
 */
export function whoRequires(user: Pick<User, "requirement" | "role">, rule: RolesRule): string {
  if (roleNeedsMfa(user, rule))
    return `Your role as ${user.role === "support" ? "a Support operator" : "an administrator"}`;
  return user.requirement ? "Your administrator" : "Your account";
}

/**
 * What is required of the user. Their role or their own requirement applies at once; otherwise the
 * account's applies.
 */
export function requirementOf(
  { user, account }: { user: Pick<User, "requirement" | "role">; account: Required },
  rule: RolesRule,
): Required {
  if (roleNeedsMfa(user, rule)) return { requirement: "required", enforceAfter: null };
  return user.requirement ? { requirement: user.requirement, enforceAfter: null } : account;
}

/** When a second factor becomes required; undefined if it is required now, or never. */
export function requiredFrom(
  { requirement, enforceAfter }: Required,
  now: number,
): string | undefined {
  const ahead = requirement === "required" && enforceAfter && enforceAfter.getTime() > now;
  return ahead ? enforceAfter.toISOString() : undefined;
}

/** Whether a second factor is required now. */
export function isRequired(required: Required, now: number): boolean {
  return required.requirement === "required" && requiredFrom(required, now) === undefined;
}
