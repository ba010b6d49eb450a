import type { Context } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import { hashCode } from "../store/codes.ts";
import { type Claim, claim, complete, release } from "../store/redis/idempotency.ts";
import { keys } from "../store/redis/keys.ts";
import { seal, unseal } from "../store/sealing.ts";
import type { Deps } from "./deps.ts";

/** An answer as it is kept for a repeated request. */
export type Kept = { status: StatusCode; headers: [string, string][]; body: string };

/**
 * Lets one of the requests with the same digest and text go on, or finds what it was answered.
 * Answers are kept for a day, and sealed, as one may hold a session token.
 */
export function keptAnswers({ redis, config }: Pick<Deps, "redis" | "config">, digest: string) {
  const key = keys.idempotency(digest);
  return {
    /** Keyed: the text may hold a password or a code, which a plain hash would let be tried. */
    claim: (text: string) => claim(redis, key, hashCode(config.CODE_KEY, "request", digest, text)),

    /** The answer of a claim that was done. */
    answerOf(c: Context, { response }: Extract<Claim, { outcome: "done" }>): Response {
      const text = unseal(config.SEALING_KEYS, response, digest).toString();
      const { body, status, headers } = JSON.parse(text) as Kept;
      for (const [name, value] of headers) c.header(name, value, { append: true });
      return c.newResponse(body || null, status);
    },

    /** Keeps the answer, unless it may turn out differently when tried again (5xx, 429 and its 413 at /v2.0). */
    async keep(claimId: string, status: number, answer: () => Promise<Kept>): Promise<void> {
      if (status === 429 || status === 413 || status >= 500) return release(redis, key, claimId);
      const sealed = seal(config.SEALING_KEYS, JSON.stringify(await answer()), digest);
      await complete(redis, key, claimId, sealed);
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
