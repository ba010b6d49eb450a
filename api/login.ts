import type { Origin } from "../machines/methods.ts";
import { newOwnedId } from "../store/ids.ts";
import {
  configuredMethods,
  effectiveDefault,
  type Method,
  verifiedPhone,
} from "../store/methods.ts";
import { maskPhoneNumber } from "../store/phones.ts";
import { recordEvent } from "../store/postgres/events.ts";
import type { Device, User } from "../store/postgres/schema.ts";
import { getMfaProfile, recordLogin } from "../store/postgres/users.ts";
import { openChallenge } from "../store/redis/challenges.ts";
import { type Epochs, openSession, readEpochs } from "../store/redis/sessions.ts";
import { type Challenge, describeChallenge, trySend } from "./challenges.ts";
import { type Credentials, checkCredentials } from "./credentials.ts";
import type { Deps } from "./deps.ts";
import { subjectOf, userEvent } from "./events.ts";
import { refuseLocked } from "./lock.ts";
import { tellingEnd } from "./login-facts.ts";
import { rememberOrigin } from "./password-throttle.ts";
import { requiredFrom } from "./policy.ts";
import { Problem } from "./problem.ts";
import { note } from "./request-context.ts";
import { type OpenedSession, openedSession } from "./sessions.ts";

export type LoginResult =
  | { status: "authenticated"; session: OpenedSession; multiFactorRequiredFrom?: string }
  | { status: "challenge"; challenge: Challenge }
  | { status: "setup_required"; session: OpenedSession };

/** How often a login is decided anew because the user's devices changed under it. */
const DECISIONS = 3;

/**
 * The first step of a login. Throws the problems `invalid_credentials` (with the same words and
 * after the same work whether the user exists or not), `account_locked` after the right password
 * only, and `login_throttled`.
 */
export async function logIn(
  deps: Deps,
  credentials: Credentials,
  origin: Origin,
): Promise<LoginResult> {
  return tellingEnd("password", firstStep(deps, credentials, origin), (result) => ({
    outcome: result.status,
    ...(result.status === "challenge" && { method: result.challenge.method }),
  }));
}

async function firstStep(
  deps: Deps,
  credentials: Credentials,
  origin: Origin,
): Promise<LoginResult> {
  const user = await checkCredentials(deps, credentials, origin);
  note({ userId: user.id });
  await rememberOrigin(deps, user.username, origin);

  for (let decision = 0; decision < DECISIONS; decision++) {
    // Before the devices: a session opened on what they were, under a mark set since, is refused.
    const epochs = await readEpochs(deps.redis, user.id, user.accountId);
    const result = await decide(deps, user, epochs, origin);
    if (result) return result;
  }
  throw new Problem("service_unavailable", "Your devices are being changed; log in again.", {
    retryAfterS: 1,
  });
}

/** Undefined when a revocation overtook the decision. */
async function decide(
  deps: Deps,
  user: User,
  epochs: Epochs,
  origin: Origin,
): Promise<LoginResult | undefined> {
  const { db, redis, clock, config } = deps;
  const profile = await getMfaProfile(db, user.id);
  if (!profile) throw new Problem("invalid_credentials");
  await refuseLocked(deps, profile.user, origin);

  const methods = configuredMethods(profile.devices);
  const method = effectiveDefault(profile.user.defaultMethod, profile.devices);
  if (method)
    return {
      status: "challenge",
      challenge: await startChallenge(deps, user, {
        method,
        methods,
        epochs,
        devices: profile.devices,
      }),
    };

  const multiFactorRequiredFrom = requiredFrom(profile.account, clock.now());
  const setup = profile.account.requirement === "required" && !multiFactorRequiredFrom;
  const opened = await openSession(redis, {
    userId: user.id,
    accountId: user.accountId,
    role: profile.user.role,
    scope: setup ? "mfa_setup" : "full",
    amr: ["pwd"],
    epochs,
    now: clock.now(),
    lifetimeMs: setup ? config.limits.session.setupMs : config.limits.session.absoluteMs,
    ...origin,
  });
  if (typeof opened === "string") return undefined;
  await recordEvent(db, userEvent(deps, subjectOf(user), "login_succeeded", origin));
  await recordLogin(db, user.id, new Date(clock.now()));
  const session = openedSession(opened);
  if (setup) return { status: "setup_required", session };
  return { status: "authenticated", session, multiFactorRequiredFrom };
}

type Choice = { method: Method; methods: Method[]; devices: Device[]; epochs: Epochs };

async function startChallenge(
  deps: Deps,
  user: User,
  { method, methods, devices, epochs }: Choice,
): Promise<Challenge> {
  const { redis, flows, clock, config } = deps;
  const challengeId = newOwnedId(user.id);
  const owner = subjectOf(user);
  const lifetimeMs = config.limits.challengeMs;
  const record = { challengeId, ...owner, epochs, expiresAt: clock.now() + lifetimeMs };
  await openChallenge(redis, { ...record, now: clock.now() });
  const sending = method === "sms" ? await trySend(deps, challengeId, devices) : undefined;
  const maySend = sending !== undefined;
  const number = verifiedPhone(devices)?.phoneNumber;
  const phone = number ? maskPhoneNumber(number) : undefined;
  const args = { ...owner, challengeId, method, methods, phone, lifetimeMs, maySend };
  try {
    const view = await flows.startLoginChallenge(args);
    return describeChallenge(deps, challengeId, view, record);
  } catch (error) {
    await sending?.giveBack();
    throw error;
  }
}
