import { findUsers } from "../../core/support/support.ts";
import { findAccountByName, getAccount } from "../../store/postgres/accounts.ts";
import type { Db } from "../../store/postgres/connect.ts";
import type { Account, User } from "../../store/postgres/schema.ts";
import { normalizeUsername } from "../../store/postgres/users.ts";
import { SetUpError } from "../progress.ts";

/** The account of that name or id. Throws a SetUpError where there is none. */
export async function accountNamed(db: Db, name: string): Promise<Account> {
  const account = (await findAccountByName(db, name)) ?? (await getAccount(db, name));
  if (!account) throw new SetUpError(`Account ${name} was not found. See: account list`);
  return account;
}

/** The user of exactly that name or that id. Throws a SetUpError where there is none. */
export async function userNamed(db: Db, name: string): Promise<User> {
  const found = await findUsers({ db }, name);
  const user = found.find(
    ({ id, username }) => id === name || username === normalizeUsername(name),
  );
  if (!user) throw new SetUpError(`User ${name} was not found. See: user list --account <account>`);
  return user;
}
