import type { Account, User } from "./postgres/schema.ts";
import type { Enforced } from "./redis/sessions/revocations.ts";

/** What is required, and the end of the grace period. */
export type Required = Pick<Account, "requirement" | "enforceAfter">;

type OwnedBy = {
  user: Pick<User, "requirement" | "role">;
  account: Pick<Account, "requirement" | "enforceAfter" | "requiredMeanwhile">;
};

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
export function requirementOf({ user, account }: OwnedBy, rule: RolesRule): Required {
  if (roleNeedsMfa(user, rule)) return { requirement: "required", enforceAfter: null };
  if (user.requirement) return { requirement: user.requirement, enforceAfter: null };
  return requirementOfAccount(account);
}

/** What the account requires of users without a requirement of their own: any second factor. */
export function requirementOfAccount({
  requirement,
  enforceAfter,
  requiredMeanwhile,
}: OwnedBy["account"]): Required {
  if (requirement === "optional") return { requirement, enforceAfter };
  return { requirement: "required", enforceAfter: requiredMeanwhile ? null : enforceAfter };
}

/**
 * From when on, in epoch ms, the user must log in with a security key or passkey; undefined if any
 * second factor will do. Only an account asks for this, and only a user's exemption overrides it.
 */
export function keyRequiredFrom({ user, account }: OwnedBy): number | undefined {
  if (account.requirement !== "phishing_resistant" || user.requirement === "optional")
    return undefined;
  return account.enforceAfter?.getTime() ?? 0;
}

/** Whether the user must log in with a security key or passkey now. */
export function isKeyRequired(owned: OwnedBy, now: number): boolean {
  const from = keyRequiredFrom(owned);
  return from !== undefined && from <= now;
}

/** What an account's requirement asks of its sessions. */
export const enforcedBy = ({ requirement }: Pick<Account, "requirement">): Enforced =>
  requirement === "phishing_resistant" ? "key" : "second_factor";

/** When a second factor becomes required; undefined if it is required now, or never. */
export function requiredFrom(
  { requirement, enforceAfter }: Required,
  now: number,
): string | undefined {
  const ahead = requirement !== "optional" && enforceAfter && enforceAfter.getTime() > now;
  return ahead ? enforceAfter.toISOString() : undefined;
}

/** Whether a second factor is required now. */
export function isRequired(required: Required, now: number): boolean {
  return required.requirement !== "optional" && requiredFrom(required, now) === undefined;
}
