import type { Hono } from "hono";
import type { CoreDeps } from "../../core/deps.ts";
import { isOutage } from "../../core/outages.ts";
import { isId } from "../../store/ids.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { RemovalUnderWay } from "../../temporal/errors.ts";
import { done } from "../layout/flash.ts";
import { ownPath, type PortalContext, type PortalEnv } from "../layout/form.ts";
import { cardPage, whoOf } from "../layout/layout.tsx";
import { signedIn } from "../layout/session.ts";

const PATH = "/devices/removals";

/** How often the page checks, in seconds. */
const LOOK_S = 2;

/**
 * The page of a removal that took longer than its form waits. The page checks the removal, and
 * redirects when it is over.
 */
export function removalUnderWayPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get(`${PATH}/:id`, async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    const removal = await removalOf(deps, c.req.param("id"));
    if (removal === "goes_on") return underWayPage(c, deps, session);
    return done(c, ownPath(c.req.query("to")), removal && ENDS[removal]);
  });
}

const ENDS = {
  removed: "The removal is finished.",
  multi_factor_off: "The removal is finished. Multi-factor authentication is off.",
  gone: "The device had been removed before.",
  remove_all_required: "The device has been verified since, so it was not removed.",
  overtaken:
    "A device has been verified since, so nothing was removed. Log in with it, then try again.",
} as const;

/**
 * Redirects to `to` when the removal is over, with a message that says what was done. If that takes
 * longer than a page waits, redirects to the page that waits for the removal.
 */
export async function followed<Result>(
  c: PortalContext,
  to: string,
  removal: Promise<Result>,
  words: (result: Result) => string,
) {
  try {
    return done(c, to, words(await removal));
  } catch (error) {
    if (!(error instanceof RemovalUnderWay)) throw error;
    return c.redirect(`${PATH}/${error.removalId}?${new URLSearchParams({ to })}`, 303);
  }
}

/** The removal's outcome; `goes_on` also while the outcome cannot be read. */
async function removalOf({ flows }: CoreDeps, id: string) {
  try {
    return isId(id) ? await flows.removal(id) : undefined;
  } catch (error) {
    if (!isOutage(error)) throw error;
    return "goes_on";
  }
}

async function underWayPage(c: PortalContext, deps: CoreDeps, session: Session) {
  const title = "Please wait";
  return cardPage(
    c,
    { title, who: await whoOf(deps, session), againS: LOOK_S },
    <>
      <p id="removal" role="status" data-follow={String(LOOK_S)}>
        The devices are being removed. This continues in the background. The next page opens when it
        is finished.
      </p>
      <p>
        You don't have to wait here. <a href={ownPath(c.req.query("to"))}>Continue</a>
      </p>
    </>,
  );
}
