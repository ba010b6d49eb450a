import type { Config } from "../../config.ts";
import { newOwnedId } from "../../store/ids.ts";
import type { Method } from "../../store/methods.ts";
import type { Db } from "../../store/postgres/connect.ts";
import { verifyDevice } from "../../store/postgres/devices.ts";
import type { Redis } from "../../store/redis/connect.ts";
import { openChallenge } from "../../store/redis/second-step/challenges.ts";
import { readEpochs } from "../../store/redis/sessions/revocations.ts";
import { AT, addedKey, addedOtp, addedSms, eventOf, newUser } from "../store/postgres/database.ts";

type SubjectDeps = { db: Db; redis: Redis; config: Config; clock: { now(): number } };

/** The number of every phone in these tests. */
export const NUMBER = "+12025550123";

/** A new user with an unverified device. */
export async function enrollee({ db }: Pick<SubjectDeps, "db">, type: Method = "sms") {
  const user = await newUser(db);
  const add = { sms: addedSms, otp: addedOtp, webauthn: addedKey }[type];
  const device = await add(db, user);
  return { userId: user.id, accountId: user.accountId, deviceId: device.id };
}

/** A new user with a verified phone, at the second step of a login. */
export async function challenged(
  { db, redis, config, clock }: SubjectDeps,
  { lifetimeMs = config.limits.challengeMs as number } = {},
) {
  const user = await newUser(db);
  const { id: deviceId } = await addedSms(db, user);
  const owner = { userId: user.id, accountId: user.accountId };
  const proof = { ...owner, deviceId, at: AT, makeDefault: true };
  await verifyDevice(db, proof, eventOf(user));
  const challengeId = newOwnedId(user.id);
  const epochs = await readEpochs(redis, user.id, user.accountId);
  const now = clock.now();
  const expiresAt = now + lifetimeMs;
  await openChallenge(redis, { hasKey: false, challengeId, ...owner, epochs, expiresAt, now });
  return { ...owner, challengeId };
}
