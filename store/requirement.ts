import type { Account, User } from "./postgres/schema.ts";

/** What is required of whom, and the end of a grace period. */
export type Required = Pick<Account, "requirement" | "enforceAfter">;

/** What is required of the user: by their own requirement, at once; else by the account's. */
export function requirementOf({
  user,
  account,
}: {
  user: Pick<User, "requirement">;
  account: Required;
}): Required {
  return user.requirement ? { requirement: user.requirement, enforceAfter: null } : account;
}
