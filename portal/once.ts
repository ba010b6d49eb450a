import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { MiddlewareHandler } from "hono";
import type { Deps } from "../api/deps.ts";
import { Problem } from "../api/problem.ts";
import { hashCode } from "../store/codes.ts";
import { claim, complete, release } from "../store/redis/idempotency.ts";
import { keys } from "../store/redis/keys.ts";
import { seal, unseal } from "../store/sealing.ts";
import type { PortalEnv } from "./form.ts";
import { readToken } from "./session.ts";

const KEPT = ["content-type", "location", "set-cookie"];
const POLL_MS = 100;
const PATIENCE_MS = 10_000;

type Answer = { status: number; headers: [string, string][]; body: string };

/**
 * Does once what a form asks for, however often it is sent: a double click or a reload gets the
 * first answer, also while that is still being made, or is led to `onRepeat`. Forms carry their own
 * random number (`once`) for it. Answers are sealed, as one may hold a session token.
 */
export function once(deps: Deps): MiddlewareHandler<PortalEnv> {
  const { redis, config } = deps;
  return async (c, next) => {
    const number = c.get("form").get("once");
    if (!number) return next();
    const browser = readToken(c, deps) ?? "";
    const digest = hashCode(config.CODE_KEY, "form", browser, c.req.path, number);
    const key = keys.idempotency(digest);
    const text = c.get("form").toString();
    const fingerprint = createHash("sha256").update(text).digest("hex");

    let claimed = await claim(redis, key, fingerprint);
    for (let waited = 0; claimed.outcome === "in_progress"; waited += POLL_MS) {
      if (waited >= PATIENCE_MS) throw new Problem("request_in_progress", "Wait a moment.");
      await sleep(POLL_MS);
      claimed = await claim(redis, key, fingerprint);
    }
    // Another text in the same form: what was typed is another request.
    if (claimed.outcome === "mismatch") return next();
    if (claimed.outcome === "done") {
      const sealed = unseal(config.SEALING_KEYS, claimed.response, digest);
      const { body, ...init } = JSON.parse(sealed.toString()) as Answer;
      return new Response(body || null, init);
    }

    await next();
    if (c.res.status === 429 || c.res.status >= 500) return release(redis, key, claimed.claim);
    const sealed = seal(
      config.SEALING_KEYS,
      JSON.stringify(await toKeep(c.res, c.get("onRepeat"))),
      digest,
    );
    await complete(redis, key, claimed.claim, sealed);
  };
}

async function toKeep(response: Response, onRepeat: string | undefined): Promise<Answer> {
  if (onRepeat) return { status: 303, headers: [["location", onRepeat]], body: "" };
  return {
    status: response.status,
    headers: [...response.headers].filter(([name]) => KEPT.includes(name)),
    body: await response.clone().text(),
  };
}
