import type { Context } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import type { Deps } from "../../core/deps.ts";
import type { LoginResult } from "../../core/login/start-login.ts";
import { Problem } from "../../core/problem.ts";
import { sessionOf } from "../../core/sessions/live-session.ts";
import { hashCode } from "../../store/codes.ts";
import { ownerOf } from "../../store/ids.ts";
import { type Claim, claim, complete, release } from "../../store/redis/idempotency.ts";
import { keys } from "../../store/redis/keys.ts";
import { readChallenge } from "../../store/redis/second-step/challenges.ts";
import { seal, unseal } from "../../store/sealing.ts";
import { isUnavailable } from "../../store/unavailable.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** The user whose login this request was; see `keepLogin`. */
    loggedIn?: string;
  }
}

/** An answer as it is kept for a repeated request. */
export type Kept = { status: StatusCode; headers: [string, string][]; body: string };

/**
 * Whom an answer is kept for, and given to again: a live session, an open challenge, or a stranger.
 * Another caller, or the same one once the session is over, sends another request.
 */
export type Caller = { is: string; userId?: string };

type CallerDeps = Pick<Deps, "redis" | "clock" | "config">;

const STRANGER: Caller = { is: "stranger" };

/** Who calls with a session's token or a challenge's id. Neither is believed before it was looked up. */
export async function callerWith(
  deps: CallerDeps,
  { token, challengeId }: { token?: string; challengeId?: string },
): Promise<Caller> {
  if (challengeId) {
    const challenge = await readChallenge(deps.redis, challengeId);
    if (challenge && deps.clock.now() < challenge.expiresAt)
      return { is: `challenge ${challengeId}`, userId: challenge.userId };
  }
  return (token && (await liveSession(deps, token))) || STRANGER;
}

async function liveSession(deps: CallerDeps, token: string): Promise<Caller | undefined> {
  try {
    const { id, userId } = await sessionOf(deps, token, { setup: true });
    return { is: `session ${id}`, userId };
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return undefined;
    throw error;
  }
}

/** Lets the answer of a stranger's login be kept, since the login opened a session or a challenge. */
export function keepLogin(c: Context, result: LoginResult): LoginResult {
  const { id } = result.status === "challenge" ? result.challenge : result.session;
  c.set("loggedIn", ownerOf(id));
  return result;
}

/**
 * Lets one of the caller's requests of this key and text go on, or finds what it was answered.
 * Answers are kept for a day, and sealed, as one may hold a session token. What is kept belongs to a
 * user and is bounded by `limits.keptAnswers`; of a stranger's request nothing is kept but the answer
 * of a login that succeeded.
 */
export function keptAnswers(
  { redis, clock, config, log }: CallerDeps & Pick<Deps, "log">,
  caller: Caller,
  ...request: string[]
) {
  const digest = hashCode(config.CODE_KEY, "idempotency", caller.is, ...request);
  const key = keys.idempotency(digest);
  const { bytes, perUser, otherTexts } = config.limits.keptAnswers;
  return {
    /**
     * Keyed: the text may hold a password or a code, which a plain hash would let be tried. For the
     * same reason it is compared with few other texts: see docs/decisions/0028.
     */
    claim: (text: string) =>
      claim(redis, key, hashCode(config.CODE_KEY, "request", digest, text), {
        otherTexts: caller.is.startsWith("session") ? otherTexts : 0,
      }),

    /** The answer of a claim that was done. */
    answerOf(c: Context, { response }: Extract<Claim, { outcome: "done" }>): Response {
      const text = unseal(config.SEALING_KEYS, response, digest).toString();
      const { body, status, headers } = JSON.parse(text) as Kept;
      for (const [name, value] of headers) c.header(name, value, { append: true });
      return c.newResponse(body || null, status);
    },

    /**
     * Keeps the answer where it is a user's, no larger than may be, and would not turn out
     * differently when tried again (5xx, 429 and its 413 at /v2.0). Where the store is away by now,
     * the answer is given all the same: it may hold what nobody is told again.
     */
    async keep(
      c: Context,
      claimId: string,
      status: number,
      answer: () => Promise<Kept>,
    ): Promise<void> {
      const userId = caller.userId ?? c.get("loggedIn");
      const differs = status === 429 || status === 413 || status >= 500;
      const kept = userId && !differs ? JSON.stringify(await answer()) : undefined;
      try {
        if (!userId || !kept || Buffer.byteLength(kept) > bytes)
          return await release(redis, key, claimId);
        const response = seal(config.SEALING_KEYS, kept, digest);
        const index = keys.keptAnswers(userId);
        await complete(redis, key, claimId, { response, index, most: perUser, now: clock.now() });
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        log.warn({ err: error }, "an answer could not be kept");
      }
    },
  };
}

/** A response as it is to be kept, with those of its headers that belong to it. */
export async function toKeep(response: Response, headers: readonly string[]): Promise<Kept> {
  return {
    status: response.status as StatusCode,
    headers: [...response.headers].filter(([name]) => headers.includes(name)),
    body: await response.clone().text(),
  };
}
