import type { ClientInfo } from "../../machines/methods.ts";
import { configuredMethods, type Method } from "../../store/methods.ts";
import { listDevices } from "../../store/postgres/devices.ts";
import { holdingUser } from "../../store/postgres/holding-user.ts";
import { getUser, setDefaultMethod } from "../../store/postgres/users.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { payForChange } from "../limits/changes.ts";
import { Problem } from "../problem.ts";
import { requireStillLive } from "../sessions/live-session.ts";
import { requireRecentLoginWith } from "../sessions/recent-login.ts";

/**
 * Chooses the method that logins start with. Answers false if it is already chosen. Throws
 * `method_not_configured`, `too_many_requests` and `reauthentication_required`.
 */
export async function changeDefaultMethod(
  deps: CoreDeps,
  session: Session,
  method: Method,
  origin: ClientInfo,
): Promise<boolean> {
  const { userId } = session;
  const event = userEvent(deps, session, "default_method_changed", origin, { method });
  const change = () =>
    holdingUser(deps.db, userId, async (tx) => {
      const configured = configuredMethods(await listDevices(tx, userId));
      if (!configured.includes(method))
        throw new Problem("method_not_configured", "Add and verify a device of that kind first.");
      requireRecentLoginWith(deps, session, configured);
      await requireStillLive({ ...deps, db: tx }, session);
      const user = await getUser(tx, userId);
      // Without a choice the strongest method comes first, so choosing it changes nothing.
      if ((user?.defaultMethod ?? configured[0]) === method) return false;
      return setDefaultMethod(tx, { userId, method }, event);
    });
  return payForChange(deps, userId, change);
}
