import { hash } from "@node-rs/argon2";
import { loadConfig } from "../config.ts";
import { newOtpSecret } from "../core/devices/totp.ts";
import { newId } from "../store/ids.ts";
import { hashPassword } from "../store/passwords.ts";
import { createAccount } from "../store/postgres/accounts.ts";
import { connectDatabase } from "../store/postgres/connect.ts";
import { devices, users, webauthnCredentials } from "../store/postgres/schema.ts";
import { connectRedis } from "../store/redis/connect.ts";
import { readEpochs } from "../store/redis/sessions/revocations.ts";
import { openSession } from "../store/redis/sessions/sessions.ts";
import { seal } from "../store/sealing.ts";
import { keyOf, newPrivateKey } from "./keys.ts";

export const PASSWORD = "correct horse battery staple";
const BATCH = 500;
const SESSION_MS = 6 * 3_600_000;
/** The least that argon2 takes, to measure a login without its hash. */
const NEXT_TO_NOTHING = { memoryCost: 8, timeCost: 1, parallelism: 1 };

/** What a user has: an authenticator app, a phone, a security key, or none of them. */
export type Having = "app" | "app, password next to unhashed" | "phone" | "key" | "neither";

const METHODS = {
  app: "otp",
  "app, password next to unhashed": "otp",
  phone: "sms",
  key: "webauthn",
  neither: null,
} as const;

/** A user with a session; each has its own IP address. */
export type Person = {
  userId: string;
  username: string;
  from: string;
  token: string;
  /** Of the app. */
  secret: string;
  /** National, of the United States. */
  phone: string;
  /** Of the security key, in PEM. */
  privateKey: string;
};

let made = 0;

/** Writes users to the stores directly, because enrolling is measured elsewhere. */
export async function makePeople(
  env: Record<string, string>,
  { quantity, having, hashed }: { quantity: number; having: Having; hashed: boolean },
): Promise<Person[]> {
  const config = loadConfig(env);
  const database = connectDatabase(config.DATABASE_URL);
  const redis = await connectRedis(config.REDIS_URL, (error) => console.error(error.message));
  const at = new Date();
  const privateKey = newPrivateKey();
  const account = await createAccount(database.db, { name: newId(), kind: "panel", at });
  if (account === "exists") throw new Error("A random account name was taken");
  // All users share one hash; each login verifies it nevertheless.
  const costly = hashed && having !== "app, password next to unhashed";
  const passwordHash = await (costly ? hashPassword(PASSWORD) : hash(PASSWORD, NEXT_TO_NOTHING));

  const withSession = async (): Promise<Person> => {
    const userId = newId();
    const username = `user-${userId}`;
    const epochs = await readEpochs(redis, userId, account.id);
    const opened = await openSession(redis, {
      ...{ userId, accountId: account.id, username, role: "member", scope: "full", amr: ["pwd"] },
      ...{ epochs, now: at.getTime(), lifetimeMs: SESSION_MS },
    });
    if (typeof opened === "string") throw new Error(`A session could not be opened: ${opened}`);
    const number = made++;
    const from = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    const phone = `512${2_000_000 + number}`;
    return {
      userId,
      username,
      from,
      token: opened.token,
      secret: newOtpSecret(),
      phone,
      privateKey,
    };
  };
  const credentialOf = (person: Person, deviceId: string) => {
    const { credentialId, publicKey } = keyOf(person);
    const flags = { backupEligible: false, backedUp: false, uvInitialized: true };
    const aaguid = "00000000-0000-0000-0000-000000000000";
    return { deviceId, credentialId, publicKey, counter: 0, aaguid, transports: ["usb"], ...flags };
  };
  const deviceOf = ({ userId, secret, phone }: Person) => {
    const id = newId();
    const common = { id, userId, verifiedAt: at, createdAt: at };
    if (having === "key") return { ...common, type: "webauthn" as const, name: "Key" };
    return having === "phone"
      ? { ...common, type: "sms" as const, countryCode: "US", phoneNumber: `+1${phone}` }
      : {
          ...common,
          type: "otp" as const,
          name: "App",
          secret: seal(config.SEALING_KEYS, secret, id),
        };
  };

  const people: Person[] = [];
  while (people.length < quantity) {
    const length = Math.min(BATCH, quantity - people.length);
    const batch = await Promise.all(Array.from({ length }, withSession));
    await database.db.insert(users).values(
      batch.map(({ userId: id, username }) => ({
        ...{ id, accountId: account.id, username, passwordHash, createdAt: at },
        role: "member" as const,
        defaultMethod: METHODS[having],
      })),
    );
    const theirs = having === "neither" ? [] : batch.map(deviceOf);
    if (theirs.length > 0) await database.db.insert(devices).values(theirs);
    if (having === "key") {
      const credentials = batch.map((person, n) => credentialOf(person, theirs[n]?.id ?? ""));
      await database.db.insert(webauthnCredentials).values(credentials);
    }
    people.push(...batch);
  }
  await Promise.all([database.close(), redis.close()]);
  return people;
}
