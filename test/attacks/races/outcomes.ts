import { recoveryHashes } from "../../../core/devices/recovery-codes.ts";
import { listEvents } from "../../../store/postgres/events/read-events.ts";
import { getMfaProfile } from "../../../store/postgres/profiles.ts";
import { countRecoveryCodes, lookUpRecoveryCode } from "../../../store/postgres/recovery-codes.ts";
import type { Device } from "../../../store/postgres/schema.ts";
import { findUserByUsername, getUser } from "../../../store/postgres/users.ts";
import { listOpenChallenges } from "../../../store/redis/second-step/challenges.ts";
import { failures } from "../../../store/redis/second-step/failures.ts";
import { listSessions } from "../../../store/redis/sessions/live-sessions.ts";
import { unseal } from "../../../store/sealing.ts";
import { codeAt } from "../../support/apps.ts";
import type { Answer } from "../../support/client.ts";
import { gatewayOver, type Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";
import { logIn, logInAnew } from "./request.ts";
import type { World } from "./worlds.ts";

/** ms. Moves the clock past the TOTP steps that the requests may have used. */
const LATER_MS = 90_000;

/** The outcome of two requests: both answers, and all that they left behind. */
export type Outcome = { answers: string[]; left: Left };

type Left = Awaited<ReturnType<typeof storesOf>> & { logins: string[] };

/** Reads outcomes. Reading logs the user in, by one or two steps, so each world is read once. */
export function outcomes(stack: Stack, steps: 1 | 2) {
  const { clock } = stack.deps;
  const later = { now: () => clock.now() + LATER_MS };
  const api = gatewayOver(stack, { clock: later });

  /** The logins that work afterwards, with their second step. */
  async function loginsOf(world: World, stores: Awaited<ReturnType<typeof storesOf>>) {
    const login = await (stores.password === "new" ? logInAnew : logIn)(api, world);
    const seen = [`password: ${summaryOf(login)}`];
    if (login.status !== 200 || login.body.status !== "challenge") return seen;
    const { id, methods } = login.body.challenge;
    seen.push(...methods);
    if (steps === 1) return seen;
    const { other, app, recoveryCode } = world;
    for (const [name, code] of [
      ["the other app", other.secret && codeAt(other.secret, later.now())],
      ["the app", app.secret && codeAt(app.secret, later.now())],
      ["a recovery code", recoveryCode],
    ]) {
      if (!code) continue;
      const { status } = await api.verifyPasscode(id, code);
      seen.push(`${name}: ${status}`);
      if (status === 200) break;
    }
    return seen;
  }

  return async (world: World, answers: Answer<unknown>[]): Promise<Outcome> => {
    await lockWritten(stack, world);
    const stores = await storesOf(stack, world, answers);
    return {
      answers: answers.map(summaryOf),
      left: { ...stores, logins: await loginsOf(world, stores) },
    };
  };
}

export type OutcomeOf = ReturnType<typeof outcomes>;

/** The status, and a refusal's code (of either API) or a login's result. */
function summaryOf({ status, text }: Answer<unknown>): string {
  const body = text.startsWith("{") ? JSON.parse(text) : {};
  const word = status < 400 ? body.status : (body.code ?? Object.keys(body)[0]);
  return [status, word].filter(Boolean).join(" ");
}

/** Waits for the lock in the database: the answer comes a moment before it. */
async function lockWritten({ deps }: Stack, { person: { id }, needs }: World) {
  if (needs.wrong !== "six") return;
  const { db, redis, clock, config } = deps;
  await until(
    async () => ({
      user: await getUser(db, id),
      wrong: await failures(redis, id, clock.now()),
    }),
    ({ user, wrong }) => wrong <= config.limits.wrongPasscodes || Boolean(user?.lockedAt),
  );
}

async function storesOf(stack: Stack, world: World, answers: Answer<unknown>[]) {
  const { db, redis, clock, config } = stack.deps;
  const { id: userId, accountId, username } = world.person;
  const now = clock.now();
  const [profile, credentialed, codes, challenges, sessions, wrong, { events }] = await Promise.all(
    [
      getMfaProfile(db, userId),
      findUserByUsername(db, username),
      countRecoveryCodes(db, userId, new Date(now)),
      listOpenChallenges(redis, userId, now),
      listSessions(redis, { userId, accountId }, { now, idleMs: config.limits.session.idleMs }),
      failures(redis, userId, now),
      listEvents(db, { accountId, limit: 100 }),
    ],
  );
  if (!profile || !credentialed) throw new Error("The user is gone");
  const { user, account } = profile;
  const isGood = async (code: string) =>
    (await lookUpRecoveryCode(db, {
      ...{ userId, challengeId: "", at: new Date(now) },
      hashes: recoveryHashes(stack.deps, userId, code) ?? [],
    })) ?? "void";
  return {
    devices: (await Promise.all(profile.devices.map((one) => deviceOf(stack, world, one)))).sort(),
    defaultMethod: user.defaultMethod,
    requirement: user.requirement,
    role: user.role,
    locked: user.lockedAt !== null,
    email: user.email !== null,
    password: credentialed.passwordHash === world.passwordHash ? "former" : "new",
    policy: `${account.requirement} ${account.policyVersion}`,
    recoveryCodes: codes,
    codesTold: await Promise.all(
      answers.map(async (answer) => Promise.all(codesOf(answer).map(isGood))),
    ),
    openChallenges: challenges.length,
    wrongPasscodes: wrong,
    sessions: sessions
      .filter(({ id }) => !world.elsewhere.includes(id))
      .map(({ id, scope, amr }) =>
        [world.token.startsWith(id) ? "the one that asked" : "opened", scope, ...amr].join(" "),
      )
      .sort(),
    events: events
      .slice(0, events.length - world.events)
      .map(({ type }) => type)
      .sort(),
  };
}

/** The recovery codes in an answer of either API. */
function codesOf({ status, text }: Answer<unknown>): string[] {
  if (status >= 400 || !text.startsWith("{")) return [];
  const body = JSON.parse(text);
  return body.codes ?? body["RAX-AUTH:bypassCodes"]?.codes ?? [];
}

async function deviceOf({ deps }: Stack, world: World, device: Device): Promise<string> {
  const { id, type, name, secret, verifiedAt, inactiveAt } = device;
  const known = [world.phone, world.app, world.other, world.key].some((one) => one.id === id);
  const its = world.other.id === id ? world.other.secret : world.app.secret;
  const isOther = secret && unseal(deps.config.SEALING_KEYS, secret, id).toString() !== its;
  const proof = verifiedAt
    ? "verified"
    : inactiveAt
      ? "inactive"
      : await enrollmentState(deps, device);
  return [known ? "" : "new", type, name, known && isOther ? "another secret" : "", proof]
    .filter(Boolean)
    .join(" ");
}

const AWAY = { state: "away" } as const;

/** The state of a device's set-up, once its message was sent. */
async function enrollmentState({ flows }: Stack["deps"], device: Device) {
  const view = await until(
    // Retried on a slow machine.
    () => flows.enrollment(device).catch(() => AWAY),
    (found) => found !== AWAY && found?.state !== "sending_pin",
  );
  return view?.state ?? "no flow";
}
