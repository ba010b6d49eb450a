import { newOtpSecret } from "../api/otp.ts";
import { loadConfig } from "../config.ts";
import { newId } from "../store/ids.ts";
import { hashPassword } from "../store/passwords.ts";
import { createAccount } from "../store/postgres/accounts.ts";
import { connectDatabase } from "../store/postgres/connect.ts";
import { devices, users } from "../store/postgres/schema.ts";
import { seal } from "../store/sealing.ts";

export const PASSWORD = "correct horse battery staple";
const BATCH = 500;

export type Person = { username: string; secret: string };

/** Users with one verified app each, written to the database directly: enrolling is measured elsewhere. */
export async function makePeople(env: Record<string, string>, quantity: number): Promise<Person[]> {
  const config = loadConfig(env);
  const database = connectDatabase(config.DATABASE_URL);
  const at = new Date();
  const account = await createAccount(database.db, { name: newId(), kind: "panel", at });
  if (account === "exists") throw new Error("A random account name was taken");
  // One hash for all: a login verifies it all the same.
  const passwordHash = await hashPassword(PASSWORD);
  const people: Person[] = [];
  for (let done = 0; done < quantity; done += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, quantity - done) }, () => ({
      userId: newId(),
      deviceId: newId(),
      secret: newOtpSecret(),
    }));
    await database.db.insert(users).values(
      batch.map(({ userId }) => ({
        id: userId,
        accountId: account.id,
        username: `user-${userId}`,
        passwordHash,
        role: "member" as const,
        defaultMethod: "otp" as const,
        createdAt: at,
      })),
    );
    await database.db.insert(devices).values(
      batch.map(({ userId, deviceId, secret }) => ({
        id: deviceId,
        userId,
        type: "otp" as const,
        name: "App",
        secret: seal(config.SEALING_KEYS, secret, deviceId),
        verifiedAt: at,
        createdAt: at,
      })),
    );
    people.push(...batch.map(({ userId, secret }) => ({ username: `user-${userId}`, secret })));
  }
  await database.close();
  return people;
}
