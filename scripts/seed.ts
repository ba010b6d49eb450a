import { hashPassword, verifyPassword } from "../store/passwords.ts";
import { createAccount, findAccountByName } from "../store/postgres/accounts.ts";
import type { Db } from "../store/postgres/connect.ts";
import type { Role } from "../store/postgres/schema.ts";
import { createUser, findUserByUsername } from "../store/postgres/users.ts";

const USERS: { account: string; username: string; role: Role }[] = [
  { account: "demo", username: "admin", role: "administrator" },
  { account: "demo", username: "alice", role: "member" },
  { account: "demo", username: "bob", role: "member" },
  { account: "support", username: "support", role: "support" },
];

/**
 * Makes the demo accounts and users that are missing; those that exist stay as they are. Resolves
 * with whether `password` is right for all of them.
 */
export async function seedDemo(
  db: Db,
  { password, at }: { password: string; at: Date },
): Promise<boolean> {
  let opensAll = true;
  for (const { account, username, role } of USERS) {
    const existing = await findUserByUsername(db, username);
    if (existing) {
      opensAll = (await verifyPassword(existing.passwordHash, password)) && opensAll;
      continue;
    }
    const accountId = await ensureAccount(db, account, at);
    const passwordHash = await hashPassword(password);
    const email = `${username}@demo.example`;
    await createUser(db, { accountId, username, email, role, passwordHash, at });
  }
  return opensAll;
}

async function ensureAccount(db: Db, name: string, at: Date): Promise<string> {
  const created = await createAccount(db, { name, kind: "panel", at });
  const account = created === "exists" ? await findAccountByName(db, name) : created;
  if (!account) throw new Error(`The account ${name} vanished`);
  return account.id;
}
