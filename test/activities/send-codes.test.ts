import { expect, test } from "vitest";
import { hashCode } from "../../store/codes.ts";
import { newId } from "../../store/ids.ts";
import { removeUnverifiedDevice } from "../../store/postgres/devices.ts";
import { keys } from "../../store/redis/keys.ts";
import { checkPasscode } from "../../store/redis/second-step/attempts.ts";
import { withdrawChallenges } from "../../store/redis/second-step/challenges.ts";
import { checkPin } from "../../store/redis/second-step/pins.ts";
import { readEpochs } from "../../store/redis/sessions/revocations.ts";
import { openSession } from "../../store/redis/sessions/sessions.ts";
import { MINUTE_MS } from "../../units.ts";
import { eventOf } from "../store/postgres/database.ts";
import { useActivities } from "./perform.ts";
import { challenged, enrollee, NUMBER } from "./subjects.ts";

const { deps, sent, perform, advance } = useActivities();

type Enrollee = Awaited<ReturnType<typeof enrollee>>;

/** The code and the text of the newest message. */
function newest() {
  const { to, body } = sent.at(-1) as (typeof sent)[number];
  const code = /^\d+/.exec(body)?.[0] as string;
  return { to, code, text: body.slice(code.length) };
}

const judgePin = ({ userId, deviceId }: Enrollee, code: string, pinOf = deviceId) =>
  checkPin(deps.redis, {
    userId,
    deviceId,
    hashes: [hashCode(deps.config.CODE_KEY, "pin", pinOf, code)],
    now: deps.clock.now(),
    tries: 5,
  });

const judgePasscode = (challengeId: string, code: string) =>
  checkPasscode(deps.redis, {
    challengeId,
    passcodeHashes: [hashCode(deps.config.CODE_KEY, "passcode", challengeId, code)],
    now: deps.clock.now(),
    wrongAllowed: 6,
    requestsAllowed: 60,
  });

test("a PIN goes to the phone; Redis gets only its HMAC for this device", async () => {
  const device = await enrollee(deps);
  await perform("sendPin", { ...device, sending: 1 });
  const { to, code, text } = newest();
  expect(to).toBe(NUMBER);
  expect(code).toMatch(/^\d{4}$/);
  expect(text).toBe(" is your Second Step PIN to verify this phone. It expires in 10 minutes.");
  const { hash, ...kept } = await deps.redis.hGetAll(keys.pin(device.userId, device.deviceId));
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(Object.values({ ...kept, id: "" })).not.toContain(code);
  expect(await judgePin(device, code, newId())).toMatchObject({ outcome: "rejected" });
  expect(await judgePin(device, code)).toEqual({ outcome: "accepted", pinId: kept.id });
});

test("a phone that is removed while its PIN is made gets no message", async () => {
  const device = await enrollee(deps);
  const { redis } = deps;
  const before = sent.length;
  const removing: typeof redis = Object.create(redis, {
    replacePin: {
      value: async (...args: Parameters<typeof redis.replacePin>) => {
        await removeUnverifiedDevice(
          deps.db,
          device,
          eventOf({ id: device.userId, accountId: "" }, "device_dropped"),
        );
        return redis.replacePin(...args);
      },
    },
  });
  await expect(perform("sendPin", { ...device, sending: 1 }, { redis: removing })).rejects.toThrow(
    "No such phone",
  );
  expect(sent).toHaveLength(before);
});

test("a passcode goes to the phone; Redis gets only its HMAC for this challenge", async () => {
  const login = await challenged(deps);
  await perform("sendPasscode", { ...login, sending: 1 });
  const { to, code, text } = newest();
  expect(to).toBe(NUMBER);
  expect(code).toMatch(/^\d{7}$/);
  expect(text).toBe(" is your Second Step passcode. Never share it. It expires in 10 minutes.");
  const kept = await deps.redis.hGetAll(keys.challenge(login.userId, login.challengeId));
  expect(kept.passcodeHash).toMatch(/^[0-9a-f]{64}$/);
  expect(Object.values(kept)).not.toContain(code);
  const other = await challenged(deps);
  expect(await judgePasscode(other.challengeId, code)).toMatchObject({ outcome: "rejected" });
  expect(await judgePasscode(login.challengeId, code)).toMatchObject({ outcome: "accepted" });
});

test("a repeated delivery sends a new code and voids the one before", async () => {
  const device = await enrollee(deps);
  const login = await challenged(deps);
  const codes = [];
  for (const repeat of [perform, perform]) {
    await repeat("sendPin", { ...device, sending: 1 });
    const pin = newest().code;
    await repeat("sendPasscode", { ...login, sending: 1 });
    codes.push({ pin, passcode: newest().code });
  }
  const [older, newer] = codes as [(typeof codes)[0], (typeof codes)[0]];
  expect(older.passcode).not.toBe(newer.passcode);
  expect(await judgePasscode(login.challengeId, older.passcode)).toEqual({ outcome: "replaced" });
  expect(await judgePasscode(login.challengeId, newer.passcode)).toMatchObject({ factor: "sms" });
  // In one of ten thousand runs both PINs are equal.
  if (older.pin !== newer.pin)
    expect(await judgePin(device, older.pin)).toEqual({ outcome: "replaced" });
  expect(await judgePin(device, newer.pin)).toMatchObject({ outcome: "accepted" });
});

test("a passcode that is sent late expires with its challenge, and the message says so", async () => {
  const login = await challenged(deps);
  advance(8 * MINUTE_MS);
  await perform("sendPasscode", { ...login, sending: 1 });
  expect(newest().text).toContain("It expires in 2 minutes.");
  advance(1 * MINUTE_MS);
  await perform("sendPasscode", { ...login, sending: 1 });
  expect(newest().text).toContain("It expires in 1 minute.");
  advance(MINUTE_MS);
  expect(await judgePasscode(login.challengeId, newest().code)).toEqual({ outcome: "expired" });
});

test("a challenge that is over gets no more passcodes", async () => {
  const before = sent.length;
  const refusal = { type: "challenge_over", nonRetryable: true };
  const expired = await challenged(deps, { lifetimeMs: MINUTE_MS });
  advance(MINUTE_MS);
  await expect(perform("sendPasscode", { ...expired, sending: 1 })).rejects.toMatchObject(refusal);

  const withdrawn = await challenged(deps);
  await withdrawChallenges(deps.redis, withdrawn.userId, deps.clock.now());
  await expect(perform("sendPasscode", { ...withdrawn, sending: 1 })).rejects.toMatchObject(
    refusal,
  );

  const { challengeId: id, ...owner } = await challenged(deps);
  await openSession(deps.redis, {
    ...owner,
    username: "somebody",
    role: "member",
    scope: "full",
    amr: ["pwd", "otp", "mfa"],
    epochs: await readEpochs(deps.redis, owner.userId, owner.accountId),
    now: deps.clock.now(),
    lifetimeMs: MINUTE_MS,
    challenge: { id, wrongAllowed: 6 },
  });
  const completed = { ...owner, challengeId: id };
  await expect(perform("sendPasscode", { ...completed, sending: 1 })).rejects.toMatchObject(
    refusal,
  );
  expect(sent).toHaveLength(before);
});

test("without a phone nothing is sent: a PIN is tried again, a passcode is not", async () => {
  const before = sent.length;
  const device = { userId: newId(), deviceId: newId() };
  await expect(perform("sendPin", { ...device, sending: 1 })).rejects.toMatchObject({
    type: "no_phone",
    nonRetryable: false,
  });
  const { challengeId } = await challenged(deps);
  await expect(
    perform("sendPasscode", { challengeId, userId: newId(), sending: 1 }),
  ).rejects.toMatchObject({
    type: "no_phone",
    nonRetryable: true,
  });
  expect(sent).toHaveLength(before);
});
