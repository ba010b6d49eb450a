import { z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import type { CoreDeps } from "../../core/deps.ts";
import { Problem } from "../../core/problem.ts";
import { callerWith, storedResponses, toStored } from "./stored-responses.ts";

/** The allowed Idempotency-Key. */
export const idempotencyKeySchema = z.string().min(1).max(200);

const HEADERS = ["content-type", "content-disposition", "location", "www-authenticate"];

/** The paths of the Identity API, which takes the token from a header of its own. */
const IDENTITY = "/v2.0/";

/** The only path where a header (`X-SessionId`) names the challenge. */
const TOKENS = "/v2.0/tokens";

/** The path of a call on a challenge; the challenge's ID is captured. */
const CHALLENGE = /^\/v1\/login\/challenges\/([^/]+)\//;

/**
 * Answers a repeated POST with the same `Idempotency-Key` with the first response. Responses are
 * stored for a day, and given only while the session or challenge of the request lasts. For callers
 * with neither, only the response of a successful login is stored.
 *
 * Throws `invalid_request` for a key that is empty or too long, `idempotency_key_reused` for a
 * repeated key with another body, and `request_in_progress` while the first request runs.
 */
export function idempotency(deps: CoreDeps): MiddlewareHandler {
  return async (c, next) => {
    const key = c.req.method === "POST" ? c.req.header("idempotency-key") : undefined;
    if (key === undefined) return next();
    requireShort(key);
    const text = await c.req.text();
    const caller = await callerWith(deps, credentialsOf(c));
    const answers = storedResponses(deps, caller, c.req.path, key);
    const claimed = await answers.claim(text);
    if (claimed.outcome === "mismatch") throw new Problem("idempotency_key_reused");
    if (claimed.outcome === "in_progress")
      throw new Problem("request_in_progress", "Wait until it is answered.", { retryAfterS: 1 });
    if (claimed.outcome === "done") return answers.answerOf(c, claimed);
    await next();
    await answers.store(c, claimed.claim, c.res.status, () => toStored(c.res, HEADERS));
  };
}

function requireShort(key: string) {
  const { error } = idempotencyKeySchema.safeParse(key);
  if (!error) return;
  const message = error.issues[0]?.message ?? "";
  throw new Problem("invalid_request", `Idempotency-Key: ${message}`, {
    errors: [{ path: "idempotency-key", message }],
  });
}

/**
 * The session token and the challenge's ID, from where the API of this path takes them. A header
 * that the API itself does not read must not say whose stored response it is.
 */
const credentialsOf = (c: Context) => ({
  token: c.req.path.startsWith(IDENTITY)
    ? c.req.header("x-auth-token")
    : /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1],
  challengeId:
    c.req.path === TOKENS ? c.req.header("x-sessionid") : CHALLENGE.exec(c.req.path)?.[1],
});
