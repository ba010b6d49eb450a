import { setTimeout as sleep } from "node:timers/promises";
import type { MiddlewareHandler } from "hono";
import {
  type Caller,
  callerWith,
  storedResponses,
  toStored,
} from "../../api/http/stored-responses.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { Problem } from "../../core/problem.ts";
import { isId } from "../../store/ids.ts";
import { PAGE_PATIENCE_MS, withinPageTime } from "../../temporal/page-time.ts";
import type { PortalContext, PortalEnv } from "./form.ts";
import { readToken } from "./session.ts";

const HEADERS = ["content-type", "location", "set-cookie"];
const POLL_MS = 100;

const STILL =
  "We are still working on what you sent. Wait a moment, then check whether it is done.";

/**
 * Runs a form once, however often it is sent. A double click or a reload gets the first response,
 * and waits for it if need be. Each form has its own random number (`once`) for this. A response is
 * only repeated while the session or the challenge that it was given to lasts.
 */
export function once(deps: CoreDeps): MiddlewareHandler<PortalEnv> {
  return async (c, next) => {
    const number = c.get("form").get("once");
    if (!number) return next();
    if (!isId(number)) throw new Problem("invalid_request", "Send the form from its page.");
    const answers = storedResponses(deps, await callerOf(c, deps), "form", c.req.path, number);
    const text = c.get("form").toString();

    let claimed = await answers.claim(text);
    for (let waited = 0; claimed.outcome === "in_progress"; waited += POLL_MS) {
      if (waited >= PAGE_PATIENCE_MS) throw new Problem("request_in_progress", STILL);
      await sleep(POLL_MS);
      claimed = await answers.claim(text);
    }
    // Another text in the same form is another request.
    if (claimed.outcome === "mismatch") return next();
    if (claimed.outcome === "done") return answers.answerOf(c, claimed);

    // The page's time starts again with the claim, so that the claim does not end before the work.
    await withinPageTime(next);
    const status = c.get("refused") ?? c.res.status;
    await answers.store(c, claimed.claim, status, () => toStored(c.res, HEADERS));
  };
}

/** A login ends the browser's earlier session, so that session cannot own a login's response. */
function callerOf(c: PortalContext, deps: CoreDeps): Promise<Caller> {
  const [, area, challengeId] = c.req.path.split("/");
  if (area === "login") return callerWith(deps, { challengeId });
  return callerWith(deps, { token: readToken(c, deps) });
}
