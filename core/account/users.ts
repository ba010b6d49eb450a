import type { ClientInfo } from "../../machines/methods.ts";
import { normalizeAddress } from "../../store/addresses.ts";
import { isId } from "../../store/ids.ts";
import { configuredMethods, type Method } from "../../store/methods.ts";
import { changeRole } from "../../store/postgres/accounts.ts";
import { listDevices } from "../../store/postgres/devices.ts";
import type { Role, User } from "../../store/postgres/schema.ts";
import { type ListedUser, listUsers } from "../../store/postgres/user-lists.ts";
import { createUser, findUserByUsername, getUser } from "../../store/postgres/users.ts";
import { keys } from "../../store/redis/keys.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { DAY_MS } from "../../units.ts";
import { userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { payForChangeByOthers } from "../limits/changes.ts";
import { payIfDone, type Spent, spendAll } from "../limits/spend-all.ts";
import { Problem } from "../problem.ts";
import { requireRecentLogin } from "../sessions/recent-login.ts";
import { endSessions, endSessionsThat } from "../sessions/sessions.ts";
import { hashNewPassword } from "../users/new-passwords.ts";
import { requireStrong } from "../users/password-rule.ts";
import { asAdministrator } from "./as-administrator.ts";

/** Support operators are created only from the command line. */
export type AccountRole = Exclude<Role, "support">;

/** A user as the account's administrators see them: the methods, but not the devices. */
export type AccountUser = {
  id: string;
  username: string;
  role: Role;
  multiFactor: { enabled: boolean; methods: Method[] };
  /** How many verified security keys and passkeys the user has. */
  keys: number;
  locked: boolean;
  lastLoginAt: string | null;
  createdAt: string;
};

export type NewUser = { username: string; password: string; role: AccountRole; email?: string };

/**
 * A page of the users of the administrator's account, sorted by user name. `atRisk` are those who may
 * lose their login where a key is required: they have none, or only one.
 */
export async function listAccountUsers(
  { db }: CoreDeps,
  { accountId }: Session,
  { atRisk, ...page }: { after?: string; limit: number; atRisk?: boolean },
): Promise<{ users: AccountUser[]; next: string | null }> {
  const only = atRisk ? "at_risk" : undefined;
  const { users, next } = await listUsers(db, { accountId, ...page, only });
  return { users: users.map(describeUser), next: next ?? null };
}

/** One user of the administrator's account. Throws `user_not_found`. */
export async function accountUser(
  { db }: Pick<CoreDeps, "db">,
  { accountId }: Pick<Session, "accountId">,
  userId: string,
): Promise<AccountUser> {
  const user = isId(userId) ? await getUser(db, userId) : undefined;
  if (user?.accountId !== accountId) throw unknownUser();
  const devices = await listDevices(db, userId);
  const keys = devices.filter(({ type, verifiedAt }) => type === "webauthn" && verifiedAt).length;
  return describeUser({ user, methods: configuredMethods(devices), keys });
}

const unknownUser = () => new Problem("user_not_found", "Your account has no user with this ID.");

/**
 * Adds a user to the administrator's account. Throws `username_taken`, `invalid_request` for a
 * password that is too weak, `reauthentication_required`, `too_many_requests`.
 */
export async function addUser(
  deps: CoreDeps,
  session: Session,
  { username, password, role, email }: NewUser,
  origin: ClientInfo,
): Promise<AccountUser> {
  await requireRecentLogin(deps, session);
  requireStrong(deps.config.limits, password, username);
  const { accountId } = session;
  const taken = new Problem("username_taken", "That user name is taken. Choose another.");
  // Checked before hashing, because the hash is the most expensive step here.
  if (await findUserByUsername(deps.db, username)) throw taken;
  const passwordHash = await hashNewPassword(deps, session.userId, password);
  const at = new Date(deps.clock.now());
  const event = userEvent(deps, session, "user_added", origin, { role });
  const address = email && normalizeAddress(email);
  const added = { accountId, username, email: address, passwordHash, role, at };
  const spent = await spendNewUser(deps, accountId);
  const user = await payIfDone(
    spent,
    () => asAdministrator(deps, session, "key share", (tx) => createUser(tx, added, event)),
    (made) => made !== "exists",
  );
  if (user === "exists") throw taken;
  return describeUser({ user, methods: [], keys: 0 });
}

/** Administrators can make administrators, so the account has a budget, too. */
function spendNewUser({ redis, clock, config }: CoreDeps, accountId: string): Promise<Spent> {
  const rules = [{ limit: config.limits.newUsersPerDay, windowMs: DAY_MS }];
  return spendAll(redis, clock.now(), [{ key: keys.newUsers(accountId), rules }], {
    code: "too_many_requests",
    detail: "Too many users were added to this account today. Add more on the command line.",
  });
}

/**
 * Changes the role of a user of the administrator's account, and ends the user's sessions, because
 * a session holds the role of its login. Throws `user_not_found`, `last_administrator`, `forbidden`
 * for a Support operator, `reauthentication_required`, `too_many_requests`.
 */
export async function changeUserRole(
  deps: CoreDeps,
  session: Session,
  { userId, role }: { userId: string; role: AccountRole },
  origin: ClientInfo,
): Promise<AccountUser> {
  await requireRecentLogin(deps, session);
  const { accountId, userId: actorId } = session;
  if (!isId(userId)) throw unknownUser();
  const event = userEvent(deps, { userId, accountId }, "role_changed", origin, { role });
  const change = () =>
    asAdministrator(deps, session, "update", (tx) =>
      changeRole(tx, { accountId, userId, role }, { ...event, actorId }),
    );
  const outcome =
    role === "administrator"
      ? await payForChangeByOthers(deps, userId, change, (it) => it === "changed")
      : await change();
  if (outcome === "unknown_user") throw unknownUser();
  if (outcome === "support")
    throw new Problem("forbidden", "The role of a Support operator cannot be changed here.");
  if (outcome === "last_administrator")
    throw new Problem("last_administrator", "Make another user an administrator first.");
  if (outcome === "changed") await endSessions(deps, userId, "role_changed");
  else {
    // An earlier request may have failed before it ended the sessions.
    const had = (one: Session) => one.role !== role;
    await endSessionsThat(deps, { userId, accountId }, had, "role_changed");
  }
  return accountUser(deps, session, userId);
}

function describeUser({ user, methods, keys }: ListedUser): AccountUser {
  const { id, username, role, lockedAt, lastLoginAt, createdAt }: User = user;
  return {
    id,
    username,
    role,
    multiFactor: { enabled: methods.length > 0, methods },
    keys,
    locked: lockedAt !== null,
    lastLoginAt: lastLoginAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
}
