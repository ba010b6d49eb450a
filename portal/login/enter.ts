import type { CoreDeps } from "../../core/deps.ts";
import type { Authenticated } from "../../core/login/complete-challenge.ts";
import { ownerOf } from "../../store/ids.ts";
import { arrive, remember } from "../layout/flash.ts";
import { field, ownPath, type PortalContext, ticked } from "../layout/form.ts";
import { keepsCookies, keepToken } from "../layout/session.ts";
import { failedBefore } from "../layout/words.ts";
import { mustAddKey, requiredOf } from "./set-up.tsx";

/** The page of the login's forms, with the part of its query that they need. */
export const loginPlace = (c: PortalContext) =>
  `/login?${new URLSearchParams({ to: ownPath(field(c, "to")) })}${ticked(c, "again") ? "&again" : ""}`;

/**
 * Whether the browser did not keep the cookie that the form's page has set. It would return to the
 * login for ever.
 */
export const losesCookies = (c: PortalContext, deps: CoreDeps): boolean =>
  ticked(c, "once") && !keepsCookies(c, deps);

type LoggedIn = Pick<Authenticated, "session" | "failedAttempts"> & {
  /** When a second factor becomes required of a user who has none (ISO 8601). */
  multiFactorRequiredFrom?: string;
};

/** Makes the login's session the browser's, and goes on to `to`, or first to a set-up. */
export async function enter(
  c: PortalContext,
  deps: CoreDeps,
  login: LoggedIn,
  to: string,
  ...said: string[]
) {
  const { id, token, scope } = login.session;
  const userId = ownerOf(id) ?? "";
  await keepToken(c, deps, token);
  const messages = [...said, failedBefore(login)];
  const leadsToSetup =
    scope === "mfa_setup" ||
    login.multiFactorRequiredFrom !== undefined ||
    // Only a reminder: the login is done, so an outage must not stop it here.
    (await requiredOf(deps, { userId }).then(mustAddKey, () => false));
  if (!leadsToSetup) return arrive(c, to, ...messages);
  // After the set-up there is another login, which leads to the same place.
  if (to !== "/" && to !== c.get("goal")?.at) remember(c, to);
  return arrive(c, `/set-up?to=${encodeURIComponent(to)}`, ...messages);
}
