import type { Context } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import type { CoreDeps } from "../../core/deps.ts";
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
    /** The user whom this request logged in; see `allowStoringLogin`. */
    loggedIn?: string;
  }
}

/** A response as stored for repeated requests. */
export type StoredResponse = { status: StatusCode; headers: [string, string][]; body: string };

/**
 * The owner of a stored response: a live session, an open challenge, or a stranger (neither). The
 * same key from another owner is another request. So is the same user's after the session has
 * ended.
 */
export type Caller = { is: string; userId?: string };

type CallerDeps = Pick<CoreDeps, "redis" | "clock" | "config">;

const STRANGER: Caller = { is: "stranger" };

/** The caller by session token or challenge ID. Both are looked up before they are trusted. */
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

/**
 * Allows storing the response of a stranger's login, because it opened a session or a challenge.
 */
export function allowStoringLogin<R extends LoginResult>(c: Context, result: R): R {
  const { id } = result.status === "challenge" ? result.challenge : result.session;
  c.set("loggedIn", ownerOf(id));
  return result;
}

/**
 * The stored responses to one caller's requests with one key. `claim` lets the first request run; a
 * repeated one gets the stored response. Responses are stored for a day, and sealed, because one
 * may hold a session token. Each belongs to a user and counts against `limits.storedResponses`. For a
 * stranger's request only the response of a successful login is stored.
 */
export function storedResponses(
  { redis, clock, config, log }: CallerDeps & Pick<CoreDeps, "log">,
  caller: Caller,
  ...request: string[]
) {
  const digest = hashCode(config.CODE_KEY, "idempotency", caller.is, ...request);
  const key = keys.idempotency(digest);
  const { bytes, perUser, otherTexts } = config.limits.storedResponses;
  return {
    /**
     * The text is hashed with a key, because it may hold a password or a code: a plain hash would
     * let an attacker try guesses. For the same reason few other texts are compared: see
     * docs/decisions/0028.
     */
    claim: (text: string) =>
      claim(redis, key, hashCode(config.CODE_KEY, "request", digest, text), {
        otherTexts: caller.is.startsWith("session") ? otherTexts : 0,
      }),

    /** The stored response of a request that is done. */
    answerOf(c: Context, { response }: Extract<Claim, { outcome: "done" }>): Response {
      const text = unseal(config.SEALING_KEYS, response, digest).toString();
      const { body, status, headers } = JSON.parse(text) as StoredResponse;
      for (const [name, value] of headers) c.header(name, value, { append: true });
      return c.newResponse(body || null, status);
    },

    /**
     * Stores the response if it belongs to a user and is not too large. A response that may differ
     * at the next try is not stored: 5xx, 429, and 413, which is 429 at /v2.0. If the store is
     * unavailable by now, the response is sent all the same: it may hold a secret that is shown
     * only once.
     */
    async store(
      c: Context,
      claimId: string,
      status: number,
      answer: () => Promise<StoredResponse>,
    ): Promise<void> {
      const userId = caller.userId ?? c.get("loggedIn");
      const differs = status === 429 || status === 413 || status >= 500;
      const stored = userId && !differs ? JSON.stringify(await answer()) : undefined;
      try {
        if (!userId || !stored || Buffer.byteLength(stored) > bytes)
          return await release(redis, key, claimId);
        const response = seal(config.SEALING_KEYS, stored, digest);
        const index = keys.storedResponses(userId);
        await complete(redis, key, claimId, { response, index, most: perUser, now: clock.now() });
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        log.warn({ err: error }, "a response could not be stored");
      }
    },
  };
}

/** A response as it is stored: of its headers only the named ones. */
export async function toStored(
  response: Response,
  headers: readonly string[],
): Promise<StoredResponse> {
  return {
    status: response.status as StatusCode,
    headers: [...response.headers].filter(([name]) => headers.includes(name)),
    body: await response.clone().text(),
  };
}
