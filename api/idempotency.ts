import type { Context, MiddlewareHandler } from "hono";
import { hashCode } from "../store/codes.ts";
import { bearerToken, sessionOf } from "./authenticate.ts";
import type { Deps } from "./deps.ts";
import { keptAnswers, toKeep } from "./kept-answers.ts";
import { Problem } from "./problem.ts";

const HEADERS = ["content-type", "content-disposition", "location", "www-authenticate"];

/**
 * Answers a repeated POST with the same `Idempotency-Key` as the first time, for a day; with a session
 * only while that lives, since the answer may hold a secret.
 */
export function idempotency(deps: Deps): MiddlewareHandler {
  return async (c, next) => {
    const key = c.req.method === "POST" ? c.req.header("idempotency-key") : undefined;
    if (!key) return next();
    // The ways in which the faces are told who calls, and for which login.
    const caller = ["authorization", "x-auth-token", "x-sessionid"].map((name) =>
      c.req.header(name),
    );
    const parts = [...caller.map((value) => value ?? ""), c.req.path, key];
    const digest = hashCode(deps.config.CODE_KEY, "idempotency", ...parts);
    const answers = keptAnswers(deps, digest);
    const claimed = await answers.claim(await c.req.text());
    if (claimed.outcome === "mismatch") throw new Problem("idempotency_key_reused");
    if (claimed.outcome === "in_progress")
      throw new Problem("request_in_progress", "Wait for its answer.", { retryAfterS: 1 });
    if (claimed.outcome === "done" && hasToken(c) && !(await isLive(deps, c))) return next();
    if (claimed.outcome === "done") return answers.answerOf(c, claimed);
    await next();
    await answers.keep(claimed.claim, c.res.status, () => toKeep(c.res, HEADERS));
  };
}

const otherToken = (c: Context) => c.req.header("x-auth-token");

const hasToken = (c: Context) => (c.req.header("authorization") ?? otherToken(c)) !== undefined;

/** Whether the request's token is of a live session; the route says why it is not. */
async function isLive(deps: Deps, c: Context): Promise<boolean> {
  try {
    await sessionOf(deps, otherToken(c) ?? bearerToken(c), { setup: true });
    return true;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return false;
    throw error;
  }
}
