import type { ClientInfo } from "../../machines/methods.ts";
import { configuredMethods, effectiveDefault } from "../../store/methods.ts";
import type { NewUserEvent } from "../../store/postgres/events/events.ts";
import { getLoginProfile } from "../../store/postgres/profiles.ts";
import { type Credentialed, recordLoginEvent } from "../../store/postgres/users.ts";
import { type Epochs, readEpochs } from "../../store/redis/sessions/revocations.ts";
import { openSession } from "../../store/redis/sessions/sessions.ts";
import {
  isKeyRequired,
  isRequired,
  keyRequiredFrom,
  requiredFrom,
  requirementOf,
  roleNeedsMfa,
} from "../../store/requirement.ts";
import { note } from "../../telemetry/request-context.ts";
import { subjectOf, userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";
import {
  type FailedAttempts,
  failedAttemptsOf,
  type OpenedSession,
  openedSession,
} from "../sessions/sessions.ts";
import { checkApiKey } from "./api-keys.ts";
import type { Challenge } from "./challenge-view.ts";
import { type Credentials, checkCredentials } from "./credentials.ts";
import { refuseLocked } from "./lock.ts";
import { measured } from "./login-metrics.ts";
import { rememberAddressOf, spendRightPassword } from "./password-limits.ts";
import { startChallenge } from "./start-challenge.ts";

export type LoginResult =
  | {
      status: "authenticated";
      session: OpenedSession;
      multiFactorRequiredFrom?: string;
      failedAttempts?: FailedAttempts;
    }
  | { status: "challenge"; challenge: Challenge }
  | { status: "setup_required"; session: OpenedSession };

/** How a login starts, and how the API or page that it came by continues it. */
type Terms = {
  proof: "pwd" | "api_key";
  /** How long a challenge may be answered, in ms. */
  challengeMs: number;
  /**
   * What the login gets if a second factor is required and missing: a session to set it up
   * ("offered"), or a refusal ("refused"). "only": no session but a set-up session is wanted.
   */
  setup: "offered" | "refused" | "only";
  /** Whether the answer reports the earlier failed logins. A program would ignore the report. */
  showsFailedLogins: boolean;
  /** Whether the client can ask for a security key. */
  keys: boolean;
};

const KEY = "webauthn" as const;

/** How often a login is decided again because the user's devices changed meanwhile. */
const DECISIONS = 3;

/**
 * The first step of a login. Throws `invalid_credentials` (with the same words and after the same
 * work whether the user exists or not), `account_locked` only after the right password, and
 * `login_throttled`, `logins_under_way` and `too_many_requests`.
 */
export async function logIn(
  deps: CoreDeps,
  credentials: Credentials,
  origin: ClientInfo,
  terms: Partial<Omit<Terms, "proof">> = {},
): Promise<LoginResult> {
  const { challengeMs } = deps.config.limits;
  const user = checkCredentials(deps, credentials, origin);
  const usual = {
    proof: "pwd",
    challengeMs,
    setup: "offered",
    showsFailedLogins: true,
    keys: true,
  } as const;
  return firstStep(deps, user, origin, { ...usual, ...terms });
}

/**
 * The only step of a program's login. Throws as `logIn`. Also throws `invalid_credentials` for the
 * right key of a user who has or needs a second factor, unless the account allows keys without one
 * and neither the user's role nor a requirement of a security key stands against it.
 */
export async function logInByApiKey(
  deps: CoreDeps,
  key: { username: string; apiKey: string },
  origin: ClientInfo,
): Promise<LoginResult> {
  const { challengeMs } = deps.config.limits;
  const user = checkApiKey(deps, key, origin);
  const terms = {
    proof: "api_key",
    challengeMs,
    setup: "refused",
    showsFailedLogins: false,
    keys: false,
  } as const;
  return firstStep(deps, user, origin, terms);
}

function firstStep(deps: CoreDeps, user: Promise<Credentialed>, origin: ClientInfo, terms: Terms) {
  return measured("password", goOn(deps, user, origin, terms), (result) => ({
    outcome: result.status,
    ...(result.status === "challenge" && { method: result.challenge.method }),
  }));
}

async function goOn(
  deps: CoreDeps,
  checked: Promise<Credentialed>,
  origin: ClientInfo,
  terms: Terms,
): Promise<LoginResult> {
  const user = await checked;
  note({ userId: user.id });
  if (terms.proof === "pwd") await spendRightPassword(deps, user.id);
  // One event, however often the login is decided.
  const event = userEvent(deps, subjectOf(user), "login_succeeded", origin);
  for (let decision = 0; decision < DECISIONS; decision++) {
    // Read before the password and the devices are read again. If a revocation mark is set after
    // this, a session based on the older state is refused.
    const epochs = await readEpochs(deps.redis, user.id, user.accountId);
    const result = await decide(deps, user, { epochs, event, origin }, terms);
    if (result) return result;
  }
  throw new Problem("service_unavailable", "Your devices are being changed. Log in again.", {
    retryAfterS: 1,
  });
}

/** Answers undefined if a revocation happened during the decision. */
async function decide(
  deps: CoreDeps,
  user: Credentialed,
  { epochs, event, origin }: { epochs: Epochs; event: NewUserEvent; origin: ClientInfo },
  { proof, challengeMs, setup: wanted, showsFailedLogins, keys }: Terms,
): Promise<LoginResult | undefined> {
  const { db, redis, clock, config } = deps;
  // The requirement and the session use the same time. Otherwise a decision made before the end of
  // a grace period could open a session after it.
  const now = clock.now();
  const profile = await getLoginProfile(db, user);
  if (!profile) throw new Problem("invalid_credentials");
  await refuseLocked(deps, profile.user, origin);

  const methods = configuredMethods(profile.devices);
  const method = effectiveDefault(profile.user.defaultMethod, profile.devices);
  const requirement = requirementOf(profile, config);
  const required = isRequired(requirement, now);
  const keyIsRequired = isKeyRequired(profile, now);
  if (proof === "api_key") {
    const bypass =
      profile.account.apiKeysBypassMfa && !roleNeedsMfa(profile.user, config) && !keyIsRequired;
    if ((method || required) && !bypass)
      throw new Problem(
        "invalid_credentials",
        "This user has multi-factor authentication on. An API key is not enough.",
      );
  } else if (method) {
    if (wanted === "only")
      throw new Problem(
        "forbidden",
        "Multi-factor authentication is already set up. Log in with your second factor.",
      );
    const hasKey = methods.includes(KEY);
    if (wanted === "refused" && !hasKey && keyIsRequired)
      throw new Problem("setup_only", "User must setup multi-factor with a security key");
    const usable = hasKey && keyIsRequired ? [KEY] : methods;
    const offered = keys ? usable : usable.filter((one) => one !== KEY);
    const [first] = offered;
    if (!first)
      throw new Problem(
        "forbidden",
        "This user logs in with a security key or passkey, which cannot be asked for here.",
      );
    const choice = {
      method: offered.includes(method) ? method : first,
      methods: offered,
      keyFrom: keyRequiredFrom(profile),
      epochs,
      devices: profile.devices,
      keys: profile.keys,
      lifetimeMs: challengeMs,
    };
    const challenge = await startChallenge(deps, user, choice);
    return challenge && { status: "challenge", challenge };
  } else if (required && wanted === "refused")
    throw new Problem("setup_only", "User must setup multi-factor");

  const multiFactorRequiredFrom = requiredFrom(requirement, now);
  const setup = proof === "pwd" && (required || wanted === "only");
  // Before the session is opened: a crash or an outage in between leaves no session without its
  // event.
  const detail = proof === "api_key" ? { factor: proof } : {};
  await recordLoginEvent(db, { ...event, detail });
  const opened = await openSession(redis, {
    userId: user.id,
    accountId: user.accountId,
    username: profile.user.username,
    role: profile.user.role,
    scope: setup ? "mfa_setup" : "full",
    amr: [proof],
    epochs,
    now,
    lifetimeMs: setup ? config.limits.session.setupMs : config.limits.session.absoluteMs,
    fullMs: config.limits.session.absoluteMs,
    // A set-up session leads to another login, and that one reports them.
    showsFailedLogins: showsFailedLogins && !setup,
    ...origin,
  });
  if (typeof opened === "string") return undefined;
  const session = openedSession(opened);
  if (setup) return { status: "setup_required", session };
  if (proof === "pwd") rememberAddressOf(deps, profile.user.username, origin);
  const failedAttempts = failedAttemptsOf(opened);
  return { status: "authenticated", session, multiFactorRequiredFrom, ...failedAttempts };
}
