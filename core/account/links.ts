import type { ClientInfo } from "../../machines/methods.ts";
import type { EventType } from "../../store/events/event-types.ts";
import {
  getAccount,
  holdAccount,
  linkAccount,
  listLinkedAccounts,
  listLinkingAccounts,
} from "../../store/postgres/accounts.ts";
import type { Db } from "../../store/postgres/connect.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import { holdingAccount } from "../../store/postgres/holding-account.ts";
import type { Account, User } from "../../store/postgres/schema.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { requirementOf } from "../../store/requirement.ts";
import { subjectOf, userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { spendChange } from "../limits/changes.ts";
import { type Credentials, checkCredentials } from "../login/credentials.ts";
import { refuseLocked } from "../login/lock.ts";
import { Problem } from "../problem.ts";
import { requireStillLive } from "../sessions/live-session.ts";
import { requireRecentLogin } from "../sessions/recent-login.ts";

/** A linked account as its administrators see it. */
export type Link = { accountId: string; name: string; kind: Account["kind"] };

const describeLink = ({ id: accountId, name, kind }: Account): Link => ({ accountId, name, kind });

/** The accounts linked to this one. */
export async function listLinks({ db }: Pick<CoreDeps, "db">, accountId: string): Promise<Link[]> {
  return (await listLinkedAccounts(db, accountId)).map(describeLink);
}

/** The accounts that this one is linked by, for a Cloud account. */
export async function listLinkedBy(
  { db }: Pick<CoreDeps, "db">,
  accountId: string,
): Promise<Link[]> {
  return (await listLinkingAccounts(db, accountId)).map(describeLink);
}

/** The session's account. Throws `forbidden` for a Cloud account: it is linked, and links none. */
export async function linkingAccount(
  { db }: Pick<CoreDeps, "db">,
  { accountId }: Pick<Session, "accountId">,
): Promise<Account | undefined> {
  const account = await getAccount(db, accountId);
  if (account?.kind === "cloud")
    throw new Problem(
      "forbidden",
      "A Cloud account cannot link other accounts. Link it from the other account.",
    );
  return account;
}

/**
 * Links the Cloud account of the administrator with these credentials. They are throttled and
 * refused as at a login. Both accounts' audit trails record the link; a refusal after the right
 * password is recorded in the trail of that password's owner. Throws `reauthentication_required`,
 * `forbidden` for a Cloud account, `cannot_link_itself`, `not_a_cloud_account`, `not_cloud_administrator`, `linked_account_has_mfa`,
 * `linked_already`, and `too_many_requests`: each try writes events, so it costs one of the day's
 * changes.
 */
export async function linkCloudAccount(
  deps: CoreDeps,
  session: Session,
  credentials: Credentials,
  origin: ClientInfo,
): Promise<Link> {
  await requireRecentLogin(deps, session);
  const own = await linkingAccount(deps, session);
  await spendChange(deps, session.userId);
  const owner = await checkCredentials(deps, credentials, origin);
  const recordForOwner = (db: Db, type: EventType, detail: object) =>
    recordEvent(db, {
      ...userEvent(deps, subjectOf(owner), type, origin, {
        linkedTo: session.accountId,
        account: own?.name,
        by: session.username,
        ...detail,
      }),
      actorId: session.userId,
    });
  try {
    await refuseLocked(deps, owner, origin);
    const { userId: linkedBy, accountId } = session;
    return await holdingAccount(deps.db, accountId, "key share", async (tx) => {
      const cloud = await linkable(deps, tx, session, owner);
      // Checked last, because the lock on the Cloud account may have taken time.
      await requireStillLive({ ...deps, db: tx }, session);
      const at = new Date(deps.clock.now());
      const ends = { accountId, linkedAccountId: cloud.id, linkedBy, at };
      const event = userEvent(deps, session, "account_linked", origin, {
        linkedAccountId: cloud.id,
        account: cloud.name,
      });
      if (!(await linkAccount(tx, ends, event)))
        throw new Problem(
          "linked_already",
          `The Cloud account ${cloud.name} is already linked. There is nothing left to do.`,
        );
      await recordForOwner(tx, "linked_by_account", {});
      return describeLink(cloud);
    });
  } catch (error) {
    // The caller knows the password, so its owner is told of the refusal too.
    if (error instanceof Problem && error.status < 500)
      await recordForOwner(deps.db, "account_link_refused", { reason: error.code });
    throw error;
  }
}

/**
 * Returns the account of the user whose password was right, if a password is all that it requires.
 * The row stays locked, so this stays true until the end of the transaction.
 */
async function linkable(
  { config }: Pick<CoreDeps, "config">,
  tx: Db,
  { accountId }: Session,
  owner: User,
): Promise<Account> {
  if (owner.accountId === accountId)
    throw new Problem("cannot_link_itself", "This user belongs to your own account.");
  const held = await holdAccount(tx, owner.accountId);
  if (held?.account.kind !== "cloud")
    throw new Problem("not_a_cloud_account", "Only Cloud accounts can be linked.");
  const { account, administrators } = held;
  if (!administrators.some(({ user }) => user.id === owner.id))
    throw new Problem(
      "not_cloud_administrator",
      "Use the user name and password of an administrator of the Cloud account.",
    );
  const asksForMore = administrators.some(
    ({ user, methods }) =>
      methods.length > 0 || requirementOf({ user, account }, config).requirement === "required",
  );
  if (asksForMore || account.requirement !== "optional")
    throw new Problem(
      "linked_account_has_mfa",
      "The Cloud account cannot be linked now. Its two-factor setting must be Optional, and none of its administrators may have a device or be required to have one. After linking, they can turn multi-factor authentication on again in the Cloud account.",
    );
  return account;
}

/**
 * Explains why the policy of a linked account cannot be changed here: a Cloud account's users set
 * up multi-factor authentication by logging in as themselves. Always throws:
 * `cloud_account_own_login`, or `link_not_found`.
 */
export async function refuseLinkedPolicy(
  deps: Pick<CoreDeps, "db">,
  accountId: string,
  linkedAccountId: string,
): Promise<never> {
  const links = await listLinks(deps, accountId);
  const link = links.find((one) => one.accountId === linkedAccountId);
  if (!link) throw new Problem("link_not_found", "Link the account first.");
  throw new Problem(
    "cloud_account_own_login",
    `The users of the Cloud account ${link.name} set up multi-factor authentication themselves. They log in with the Cloud account's own user name and password.`,
  );
}
