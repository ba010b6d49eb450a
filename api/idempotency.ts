import { createHash } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { hashCode } from "../store/codes.ts";
import { claim, complete, release } from "../store/redis/idempotency.ts";
import { keys } from "../store/redis/keys.ts";
import { seal, unseal } from "../store/sealing.ts";
import type { Deps } from "./deps.ts";
import { Problem } from "./problem.ts";

/** The headers that belong to a kept body. */
const KEPT = ["content-type", "content-disposition"];

type Answer = { status: number; headers: [string, string][]; body: string };

/**
 * Answers a repeated POST with the same `Idempotency-Key` as the first time. Answers are kept for a
 * day and sealed, as one may hold a session token. What may turn out differently when tried again
 * (429 and 5xx) is not kept.
 */
export function idempotency({ redis, config }: Deps): MiddlewareHandler {
  return async (c, next) => {
    const key = c.req.method === "POST" ? c.req.header("idempotency-key") : undefined;
    if (!key) return next();
    const caller = c.req.header("authorization") ?? "";
    const digest = hashCode(config.CODE_KEY, "idempotency", caller, c.req.path, key);
    const fingerprint = createHash("sha256")
      .update(await c.req.text())
      .digest("hex");
    const claimed = await claim(redis, keys.idempotency(digest), fingerprint);
    if (claimed.outcome === "mismatch") throw new Problem("idempotency_key_reused");
    if (claimed.outcome === "in_progress")
      throw new Problem("request_in_progress", "Wait for its answer.", { retryAfterS: 1 });
    if (claimed.outcome === "done") {
      const sealed = unseal(config.SEALING_KEYS, claimed.response, digest);
      const { body, ...init } = JSON.parse(sealed.toString()) as Answer;
      return new Response(body || null, init);
    }
    await next();
    const { status } = c.res;
    if (status === 429 || status >= 500)
      return release(redis, keys.idempotency(digest), claimed.claim);
    const answer: Answer = {
      status,
      headers: [...c.res.headers].filter(([name]) => KEPT.includes(name)),
      body: await c.res.clone().text(),
    };
    const sealed = seal(config.SEALING_KEYS, JSON.stringify(answer), digest);
    await complete(redis, keys.idempotency(digest), claimed.claim, sealed);
  };
}
