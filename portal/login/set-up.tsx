import type { Hono } from "hono";
import type { CoreDeps } from "../../core/deps.ts";
import { Problem } from "../../core/problem.ts";
import { getMfaProfile } from "../../store/postgres/profiles.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { requiredFrom, requirementOf, whoRequires } from "../../store/requirement.ts";
import { ownPath, type PortalEnv } from "../layout/form.ts";
import { cardPage, whoOf } from "../layout/layout.tsx";
import { Time } from "../layout/parts.tsx";
import { signedIn } from "../layout/session.ts";

/** The notice at a login that a second factor is required: now, or after a grace period. */
export function setUpPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get("/set-up", async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    const { who, from } = await requiredOf(deps, session);
    const title = from
      ? "Multi-factor authentication will be required"
      : "Multi-factor authentication is required";
    return cardPage(
      c,
      { title, who: await whoOf(deps, session) },
      <>
        <p>
          {who} {from ? "will require" : "requires"} a second step at login
          {from && (
            <>
              {" "}
              from <Time at={from} /> on
            </>
          )}
          : a passcode by text message or from an app. It takes about two minutes to set up. After
          you verify a device, you will be logged out and asked to log in with it.
        </p>
        {from ? (
          <p>You can do this later. Until then you are reminded at each login.</p>
        ) : (
          <p>You have 15 minutes. If time runs out, log in again to continue.</p>
        )}
        <div class="actions">
          <a class="button" href="/devices">
            Set Up Multi-Factor Authentication
          </a>
          {from && <a href={ownPath(c.req.query("to"))}>Later</a>}
        </div>
      </>,
    );
  });
}

export type RequiredOf = {
  /** Who requires it, as the subject of a sentence. */
  who: string;
  required: boolean;
  /** When the requirement begins (ISO 8601), if that is in the future. */
  from?: string;
};

/** What is required of the session's user. */
export async function requiredOf(
  deps: CoreDeps,
  { userId }: Pick<Session, "userId">,
): Promise<RequiredOf> {
  const profile = await getMfaProfile(deps.db, userId);
  if (!profile) throw new Problem("unauthenticated");
  const rule = requirementOf(profile, deps.config);
  return {
    who: whoRequires(profile.user, deps.config),
    required: rule.requirement === "required",
    from: requiredFrom(rule, deps.clock.now()),
  };
}
