import type { MfaProfile } from "../store/postgres/profiles.ts";
import { type RolesRule, roleNeedsMfa } from "../store/requirement.ts";

/** Who requires a second factor of the user, as the subject of a sentence. */
export function whoRequires({ user }: Pick<MfaProfile, "user">, rule: RolesRule): string {
  if (roleNeedsMfa(user, rule))
    return `Your role as ${user.role === "support" ? "a Support operator" : "an administrator"}`;
  return user.requirement ? "Your administrator" : "Your account";
}
