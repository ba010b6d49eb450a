import { setTimeout as sleep } from "node:timers/promises";
import type { MiddlewareHandler } from "hono";
import type { Deps } from "../api/deps.ts";
import { type Kept, keptAnswers, toKeep } from "../api/kept-answers.ts";
import { Problem } from "../api/problem.ts";
import { hashCode } from "../store/codes.ts";
import type { PortalEnv } from "./form.ts";
import { readToken } from "./session.ts";

const HEADERS = ["content-type", "location", "set-cookie"];
const POLL_MS = 100;
const PATIENCE_MS = 10_000;

/**
 * Does once what a form asks for, however often it is sent: a double click or a reload gets the
 * first answer, also while that is still being made, or is led to `onRepeat`. Forms carry their own
 * random number (`once`) for it.
 */
export function once(deps: Deps): MiddlewareHandler<PortalEnv> {
  return async (c, next) => {
    const number = c.get("form").get("once");
    if (!number) return next();
    const browser = readToken(c, deps) ?? "";
    const digest = hashCode(deps.config.CODE_KEY, "form", browser, c.req.path, number);
    const answers = keptAnswers(deps, digest);
    const text = c.get("form").toString();

    let claimed = await answers.claim(text);
    for (let waited = 0; claimed.outcome === "in_progress"; waited += POLL_MS) {
      if (waited >= PATIENCE_MS) throw new Problem("request_in_progress", "Wait a moment.");
      await sleep(POLL_MS);
      claimed = await answers.claim(text);
    }
    // Another text in the same form: what was typed is another request.
    if (claimed.outcome === "mismatch") return next();
    if (claimed.outcome === "done") return answers.answerOf(c, claimed);

    await next();
    const onRepeat = c.get("onRepeat");
    const status = c.get("refused") ?? c.res.status;
    await answers.keep(claimed.claim, status, async () =>
      onRepeat ? leadingTo(onRepeat) : toKeep(c.res, HEADERS),
    );
  };
}

const leadingTo = (path: string): Kept => ({
  status: 303,
  headers: [["location", path]],
  body: "",
});
