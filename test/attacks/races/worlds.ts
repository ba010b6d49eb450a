import { hash } from "@node-rs/argon2";
import { eq } from "drizzle-orm";
import { recoveryHash } from "../../../core/devices/recovery-codes.ts";
import { newOtpSecret } from "../../../core/devices/totp.ts";
import { newId } from "../../../store/ids.ts";
import { listEvents } from "../../../store/postgres/events/read-events.ts";
import { holdingUser } from "../../../store/postgres/holding-user.ts";
import { replaceRecoveryCodes } from "../../../store/postgres/recovery-codes.ts";
import { accounts, devices, type Role, users } from "../../../store/postgres/schema.ts";
import { lockUser } from "../../../store/postgres/users.ts";
import { newRecoveryCodes } from "../../../store/recovery-codes.ts";
import { exhaustAttempts } from "../../../store/redis/second-step/failures.ts";
import { readEpochs } from "../../../store/redis/sessions/revocations.ts";
import { openSession } from "../../../store/redis/sessions/sessions.ts";
import { seal } from "../../../store/sealing.ts";
import { eventOf } from "../../store/postgres/database.ts";
import { registerApp } from "../../support/apps.ts";
import { keyCalls, newKey } from "../../support/keys.ts";
import type { Person } from "../../support/people.ts";
import { newPhone } from "../../support/phones.ts";
import { pinSent, startChallenge } from "../../support/scenarios.ts";
import type { Stack } from "../../support/stack.ts";

/** What a request needs to make sense. Two requests with contradicting needs are not raced. */
export type Needs = {
  /** A phone and an app: verified, inactive, or none. Default: verified. */
  devices?: "verified" | "inactive" | "none";
  /** Default: the same as the app, or none with `devices: "none"`. */
  phone?: "unverified" | "none";
  /**
   * Whether the account turns multi-factor authentication on by an own call, or at verification.
   */
  enabling?: "own_call" | "at_once";
  /** A second app, not verified. */
  other?: true;
  /** A security key, not verified. */
  key?: true;
  /** A login that waits for its second step. */
  challenge?: true;
  recoveryCode?: true;
  /** The chosen default method, if any. */
  begins?: "phone";
  /** Wrong passcodes: six; seven (locked); or seven and a crash before the lock was written. */
  wrong?: "six" | "locked" | "counted";
};

/** The needs of both requests; undefined if they contradict each other. */
export function together(one: Needs, other: Needs): Needs | undefined {
  // If one request types the locking passcode, both start before the lock.
  const six = one.wrong === "six" || other.wrong === "six" ? ({ wrong: "six" } as const) : {};
  const [a, b]: [Needs, Needs] = [
    { ...one, ...six },
    { ...other, ...six },
  ];
  const both = { ...a, ...b };
  const keys = Object.keys(both) as (keyof Needs)[];
  return keys.every((key) => (a[key] ?? both[key]) === both[key]) ? both : undefined;
}

type App = { id: string; secret: string };

/** A user in an account of their own, before the two requests. */
export type World = {
  needs: Needs;
  person: Person;
  /** The user's client address. */
  from: string;
  /** The token of a session with all of the user's factors. */
  token: string;
  /** The tokens of the account's administrator and of Support, with two factors. */
  chief: string;
  support: string;
  phone: ReturnType<typeof newPhone> & { id: string; pin: string };
  app: App;
  other: App;
  /** The key's device, and what it answers to the options of its set-up. */
  key: { id: string; credential: unknown };
  challengeId: string;
  recoveryCode: string;
  passwordHash: string;
  /** How many events the set-up wrote. */
  events: number;
  /** The ids of sessions that the comparison ignores. */
  elsewhere: string[];
};

const PASSWORD = "the password before 73";

/** A very cheap hash, because a thousand users log in. */
const passwordHash = hash(PASSWORD, { memoryCost: 8, timeCost: 1, parallelism: 1 });

/** Nearly all fictitious numbers of a test file. After that, numbers repeat. */
const NUMBERS = 4000;
const phones: ReturnType<typeof newPhone>[] = [];
const ADDRESSES = 250;
let made = 0;

function phoneOf(n: number) {
  const phone = phones[n % NUMBERS] ?? newPhone();
  phones[n % NUMBERS] = phone;
  return { id: newId(), pin: "", ...phone };
}

const addressOf = (n: number) =>
  `198.${18 + Math.floor(n / ADDRESSES ** 2)}.${Math.floor(n / ADDRESSES) % ADDRESSES}.${n % ADDRESSES}`;

export async function newWorld(stack: Stack, needs: Needs): Promise<World> {
  const { db, redis, config, clock } = stack.deps;
  const at = new Date(clock.now());
  const accountId = newId();
  const enablingIsOwnCall = needs.enabling === "own_call";
  await db
    .insert(accounts)
    .values({ id: accountId, name: accountId, kind: "panel", enablingIsOwnCall, createdAt: at });
  const [person, chief, support] = await Promise.all([
    newUser(stack, accountId, "member"),
    newUser(stack, accountId, "administrator"),
    newUser(stack, accountId, "support"),
  ]);
  const { id: userId } = person;
  const hasDevices = needs.devices !== "none";
  const n = made++;
  const world: World = {
    needs,
    person,
    from: addressOf(n),
    token: await sessionOf(stack, person, "member", hasDevices && needs.devices !== "inactive"),
    chief: await sessionOf(stack, chief, "administrator", true),
    support: await sessionOf(stack, support, "support", true),
    phone: phoneOf(n),
    app: { id: newId(), secret: newOtpSecret() },
    other: { id: "", secret: "" },
    key: { id: "", credential: undefined },
    passwordHash: await passwordHash,
    ...{ challengeId: "", recoveryCode: "", events: 0, elsewhere: [] },
  };
  const { phone, app } = world;
  const proof = needs.devices === "inactive" ? { inactiveAt: at } : { verifiedAt: at };
  const of = { userId, createdAt: at, ...proof };
  if (hasDevices) {
    const secret = seal(config.SEALING_KEYS, app.secret, app.id);
    await db.insert(devices).values({ ...of, id: app.id, type: "otp", name: "App", secret });
  }
  if (hasDevices && !needs.phone) {
    const { id, countryCode, e164: phoneNumber } = phone;
    await db.insert(devices).values({ ...of, id, type: "sms", countryCode, phoneNumber });
  }
  if (needs.begins)
    await db.update(users).set({ defaultMethod: "sms" }).where(eq(users.id, userId));
  if (needs.phone === "unverified") {
    const registered = await stack.api.registerPhone(world.token, phone);
    phone.id = registered.body.id;
    phone.pin = await stack.pinTo(phone.e164);
    await pinSent(stack, world.token, phone.id);
  }
  if (needs.other) {
    const { device, secret } = await registerApp(stack, world.token, "Other");
    world.other = { id: device.id, secret };
  }
  if (needs.key) {
    const { device, options } = (await keyCalls(stack.api).register(world.token)).body;
    world.key = { id: device.id, credential: newKey().create(options) };
  }
  if (needs.recoveryCode) {
    const [code = ""] = newRecoveryCodes(1);
    const hashes = [recoveryHash(stack.deps, userId, code) ?? ""];
    await holdingUser(db, userId, (tx) =>
      replaceRecoveryCodes(tx, { userId, hashes, at }, eventOf(person)),
    );
    world.recoveryCode = code;
  }
  if (needs.challenge) world.challengeId = (await startChallenge(stack, person)).id;
  if (needs.wrong) {
    const { wrongPasscodes } = config.limits;
    await exhaustAttempts(redis, userId, wrongPasscodes - (needs.wrong === "six" ? 1 : 0));
    if (needs.wrong === "locked") await lockUser(db, { userId, at }, eventOf(person));
  }
  world.events = (await listEvents(db, { accountId, limit: 100 })).events.length;
  return world;
}

async function newUser({ deps }: Stack, accountId: string, role: Role): Promise<Person> {
  const [id, createdAt] = [newId(), new Date(deps.clock.now())];
  const username = `user-${id}`;
  const user = { id, accountId, username, role, createdAt, passwordHash: await passwordHash };
  await deps.db.insert(users).values(user);
  return { id, accountId, username, password: PASSWORD };
}

/** A session as after a login by password, and by a second factor if `strong`. */
export async function sessionOf(
  { deps }: Stack,
  person: Person,
  role: Role,
  strong: boolean,
): Promise<string> {
  const { redis, clock, config } = deps;
  const { id: userId, accountId, username } = person;
  const opened = await openSession(redis, {
    ...{ userId, accountId, username, role },
    scope: "full",
    amr: strong ? ["pwd", "otp", "mfa"] : ["pwd"],
    epochs: await readEpochs(redis, userId, accountId),
    now: clock.now(),
    lifetimeMs: config.limits.session.absoluteMs,
  });
  if (typeof opened === "string") throw new Error(opened);
  return opened.token;
}
