import type { Origin } from "../machines/methods.ts";
import { configuredMethods } from "../store/methods.ts";
import { getAccount, linkAccount, listLinkedAccounts } from "../store/postgres/accounts.ts";
import { holdUser, listDevices } from "../store/postgres/devices.ts";
import { recordEvent } from "../store/postgres/events.ts";
import type { Account, User } from "../store/postgres/schema.ts";
import { type Credentials, checkCredentials } from "./credentials.ts";
import type { Deps } from "./deps.ts";
import { subjectOf, userEvent } from "./events.ts";
import { refuseLocked } from "./lock.ts";
import { Problem } from "./problem.ts";

/** A linked account as its administrators see it. */
export type Link = { accountId: string; name: string; kind: Account["kind"] };

const describeLink = ({ id: accountId, name, kind }: Account): Link => ({ accountId, name, kind });

/** The accounts linked to this one. */
export async function listLinks({ db }: Pick<Deps, "db">, accountId: string): Promise<Link[]> {
  return (await listLinkedAccounts(db, accountId)).map(describeLink);
}

/**
 * Links the Cloud account of the user with these credentials, which are throttled and refused as at
 * a login. Throws `cannot_link_itself`, `not_a_cloud_account`, `linked_account_has_mfa` and
 * `linked_already`.
 */
export async function linkCloudAccount(
  deps: Deps,
  administrator: User,
  credentials: Credentials,
  origin: Origin,
): Promise<Link> {
  const owner = await checkCredentials(deps, credentials, origin);
  await refuseLocked(deps, owner, origin);
  const { accountId } = administrator;
  if (owner.accountId === accountId)
    throw new Problem("cannot_link_itself", "This user belongs to your own account.");
  const cloud = await getAccount(deps.db, owner.accountId);
  if (cloud?.kind !== "cloud")
    throw new Problem("not_a_cloud_account", "Only Cloud accounts can be linked.");

  const at = new Date(deps.clock.now());
  const ends = { accountId, linkedAccountId: cloud.id, linkedBy: administrator.id, at };
  const event = userEvent(deps, subjectOf(administrator), "account_linked", origin, {
    linkedAccountId: cloud.id,
  });
  await deps.db.transaction(async (tx) => {
    // From here on no device of theirs becomes verified until the link is made.
    await holdUser(tx, owner.id);
    const enabled = configuredMethods(await listDevices(tx, owner.id)).length > 0;
    if (enabled || cloud.requirement === "required")
      throw new Problem(
        "linked_account_has_mfa",
        "Turn multi-factor authentication off in the Cloud account, link it, and turn it on again.",
      );
    if (!(await linkAccount(tx, ends, event)))
      throw new Problem("linked_already", "There is nothing left to do.");
    // The Cloud account's own trail tells of it, too.
    const told = userEvent(deps, subjectOf(owner), "linked_by_account", origin, {
      linkedTo: accountId,
    });
    await recordEvent(tx, { ...told, actorId: administrator.id });
  });
  return describeLink(cloud);
}

/**
 * Why the policy of a linked account is not to be had from here: a Cloud account's users configure
 * theirs by logging in as themselves. Always throws: `cloud_account_own_login`, or `link_not_found`.
 */
export async function refuseLinkedPolicy(
  deps: Pick<Deps, "db">,
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
