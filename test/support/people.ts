import { randomBytes } from "node:crypto";
import { newId } from "../../store/ids.ts";
import { hashPassword } from "../../store/passwords.ts";
import { createAccount } from "../../store/postgres/accounts.ts";
import { connectDatabase, type Db } from "../../store/postgres/connect.ts";
import type { Role } from "../../store/postgres/schema.ts";
import { createUser } from "../../store/postgres/users.ts";

export type Person = { id: string; accountId: string; username: string; password: string };

/** A new user with a password; in a new account unless one is named. */
export async function newPerson(
  db: Db,
  { accountId, role = "member", at }: { accountId?: string; role?: Role; at: Date },
): Promise<Person> {
  const account = accountId ?? (await newAccount(db, at));
  const username = `user-${newId()}`;
  const password = randomBytes(12).toString("base64url");
  const passwordHash = await hashPassword(password);
  const user = await createUser(db, { accountId: account, username, passwordHash, role, at });
  if (user === "exists") throw new Error("A random user name was taken");
  return { id: user.id, accountId: account, username, password };
}

/** A new user in the database at this URL. */
export async function newPersonAt(url: string): Promise<Person> {
  const database = connectDatabase(url, { max: 1 });
  try {
    return await newPerson(database.db, { at: new Date() });
  } finally {
    await database.close();
  }
}

async function newAccount(db: Db, at: Date): Promise<string> {
  const account = await createAccount(db, { name: `account-${newId()}`, kind: "panel", at });
  if (account === "exists") throw new Error("A random account name was taken");
  return account.id;
}
