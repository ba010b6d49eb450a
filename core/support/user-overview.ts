import type { Method } from "../../store/methods.ts";
import { getAccount } from "../../store/postgres/accounts.ts";
import type { Reader } from "../../store/postgres/events/read-events.ts";
import type { User } from "../../store/postgres/schema.ts";
import { listOpenChallenges } from "../../store/redis/second-step/challenges.ts";
import { failures } from "../../store/redis/second-step/failures.ts";
import { countRefunds } from "../../store/redis/second-step/refunds.ts";
import { listAudit } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { type DeviceView, getMultiFactor } from "../devices/devices.ts";
import { attemptsRemaining } from "../login/challenge-view.ts";

const RECENT_EVENTS = 20;

/** A user as Support and administrators see one in a list. */
export function describeUser(user: User) {
  const { id, username, email, role, accountId, lockedAt, lastLoginAt, createdAt } = user;
  return {
    ...{ id, username, email, role, accountId },
    lockedAt: lockedAt?.toISOString() ?? null,
    lastLoginAt: lastLoginAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
}

/** A user as a search shows one. To show more would be a look-up, which leaves a trace. */
export function describeFoundUser({ id, username, lockedAt }: User) {
  return { id, username, lockedAt: lockedAt?.toISOString() ?? null };
}

/** A flow that is under way. */
type OpenFlow = {
  type: "login_challenge" | `${Method}_enrollment`;
  state: string;
  problem: string | null;
  deviceId: string | null;
  expiresAt: string | null;
  next: string[];
};

/**
 * All that Support needs to help the user: state, masked devices, open flows, and recent events.
 * Only an operator sees from where Support acted.
 */
export async function viewForSupport(deps: CoreDeps, user: User, reader: Reader = "account") {
  const { db, redis, config, clock } = deps;
  const [account, multiFactor, failed, attemptsGivenBack, logins, { events }] = await Promise.all([
    getAccount(db, user.accountId),
    getMultiFactor(deps, { userId: user.id }),
    failures(redis, user.id, clock.now()),
    countRefunds(redis, user.id, clock.now()),
    openLogins(deps, user.id),
    listAudit(deps, { userId: user.id, limit: RECENT_EVENTS }, reader),
  ]);
  return {
    user: { ...describeUser(user), accountName: account?.name ?? "" },
    multiFactor,
    attemptsRemaining: attemptsRemaining(config.limits, failed),
    /** In the last 24 hours, after outages. */
    attemptsGivenBack,
    flows: [...logins, ...multiFactor.devices.filter(({ verified }) => !verified).map(enrollment)],
    events,
  };
}

/**
 * The logins that wait for their second step, without their IDs: with an ID, somebody who overhears
 * the passcode could open the session.
 */
async function openLogins({ redis, flows, clock }: CoreDeps, userId: string): Promise<OpenFlow[]> {
  const open = await listOpenChallenges(redis, userId, clock.now());
  const viewed = await Promise.all(
    open.map(async ({ id, expiresAt }) => ({
      expiresAt: new Date(expiresAt).toISOString(),
      view: await flows.challenge(id),
    })),
  );
  return viewed.flatMap(({ view, expiresAt }) => {
    // A challenge that has ended waits for nobody, even before its deadline.
    if (!view || view.next.length === 0) return [];
    const { state, problem = null, next } = view;
    return [{ type: "login_challenge", state, problem, deviceId: null, expiresAt, next }];
  });
}

function enrollment({ id, type, state, problem, next }: DeviceView): OpenFlow {
  return { type: `${type}_enrollment`, state, problem, deviceId: id, expiresAt: null, next };
}
