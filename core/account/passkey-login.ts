import type { ClientInfo } from "../../machines/methods.ts";
import { setAccountSetting } from "../../store/postgres/accounts.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { accountEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { payForChange } from "../limits/changes.ts";
import { requireRecentLogin } from "../sessions/recent-login.ts";
import { asAdministrator } from "./as-administrator.ts";
import { accountOf } from "./policy.ts";

/** Whether users of the account may log in by a passkey alone. */
export type PasskeyLogin = { allowed: boolean };

/** The setting of the administrator's account. Throws `unauthenticated` if the account is gone. */
export async function getPasskeyLogin(deps: CoreDeps, session: Session): Promise<PasskeyLogin> {
  return { allowed: (await accountOf(deps, session)).passkeyLogin };
}

/**
 * Allows logins by passkey alone, or asks for the password as well. Sessions stay. Costs one of the
 * day's changes if it changes something. Throws `reauthentication_required`, `too_many_requests`.
 */
export async function changePasskeyLogin(
  deps: CoreDeps,
  session: Session,
  { allowed }: PasskeyLogin,
  origin: ClientInfo,
): Promise<PasskeyLogin> {
  await requireRecentLogin(deps, session);
  const { accountId, userId } = session;
  const detail = { setting: "passkey-login", state: allowed ? "on" : "off" };
  const event = accountEvent(deps, session, "account_setting_changed", origin, detail);
  await payForChange(deps, userId, () =>
    asAdministrator(deps, session, "update", (tx) =>
      setAccountSetting(tx, { accountId, setting: "passkeyLogin", on: allowed }, event),
    ),
  );
  return { allowed };
}
