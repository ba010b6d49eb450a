import type { Hono } from "hono";
import type { CoreDeps } from "../../core/deps.ts";
import { Problem } from "../../core/problem.ts";
import { findRelyingParty } from "../../core/webauthn/relying-party.ts";
import { configuredMethods } from "../../store/methods.ts";
import { getMfaProfile } from "../../store/postgres/profiles.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import {
  keyRequiredFrom,
  requiredFrom,
  requirementOf,
  whoRequires,
} from "../../store/requirement.ts";
import { ownPath, type PortalContext, type PortalEnv } from "../layout/form.ts";
import { KeysNeedScript } from "../layout/keys.tsx";
import { cardPage, type Who, whoOf } from "../layout/layout.tsx";
import { Time } from "../layout/parts.tsx";
import { signedIn } from "../layout/session.ts";

/**
 * The notice at a login that a second factor is required: now, or after a grace period. The
 * requirement may have changed since that login.
 */
export function setUpPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get("/set-up", async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    const by = await requiredOf(deps, session);
    const who = await whoOf(deps, session);
    if (session.scope === "mfa_setup") {
      const isNow = by.required && !by.from;
      if (!isNow) return notRequiredPage(c, who, by);
      if (by.keyRequired) return keyRequiredPage(c, who, by);
    } else {
      if (mustAddKey(by)) return keyRequiredPage(c, who, by);
      if (!by.required || by.enabled) return c.redirect("/devices", 303);
    }
    return requiredPage(c, who, by, findRelyingParty(deps.config) !== undefined);
  });
}

function requiredPage(c: PortalContext, who: Who, by: RequiredOf, offersKeys: boolean) {
  const { who: subject, from } = by;
  const title = from
    ? "Multi-factor authentication will be required"
    : "Multi-factor authentication is required";
  return cardPage(
    c,
    { title, who },
    <>
      <p>
        {subject} {from ? "will require" : "requires"} a second step at login
        {from && (
          <>
            {" "}
            from <Time at={from} /> on
          </>
        )}
        : {offersKeys ? "a security key, a passkey, or " : ""}a passcode by text message or from an
        app. It takes about two minutes to set up. After you verify a device, you will be logged out
        and asked to log in with it.
      </p>
      <KeyLater by={by} />
      <When who={who} from={from} />
      <Begin c={c} from={from} at="/devices" label="Set Up Multi-Factor Authentication" />
    </>,
  );
}

/** For users who need a security key or passkey, and have none. */
function keyRequiredPage(
  c: PortalContext,
  who: Who,
  { who: subject, keyRequiredFrom: from }: RequiredOf,
) {
  const title = from
    ? "A security key or passkey will be required"
    : "A security key or passkey is required";
  return cardPage(
    c,
    { title, who },
    <>
      <p>
        {subject} {from ? "will require" : "requires"} a security key or passkey at login
        {from && (
          <>
            {" "}
            from <Time at={from} /> on
          </>
        )}
        . Passcodes are not enough, because a false page can ask for them; a key does not answer to
        a false page. After you add a key, you will be logged out and asked to log in with it.
      </p>
      <KeysNeedScript />
      <When who={who} from={from} />
      <Begin c={c} from={from} at="/devices/webauthn/new" label="Add a Security Key or Passkey" />
    </>,
  );
}

/** Tells when a security key or passkey becomes required. */
export function KeyLater({ by }: { by: RequiredOf }) {
  if (!by.keyRequiredFrom) return null;
  return (
    <p>
      From <Time at={by.keyRequiredFrom} /> on, your account requires a security key or passkey.
      {!by.hasKey && " Add one before."}
      {by.required && !by.from && " Until then, a second factor of any kind is required."}
    </p>
  );
}

/** Until when the set-up must be finished. */
const When = ({ who, from }: { who: Who; from?: string }) =>
  from ? (
    <p>You can do this later. Until then you are reminded at each login.</p>
  ) : (
    <p>
      Finish before <Time at={new Date(who.session.expiresAt).toISOString()} />. If time runs out,
      log in again to continue.
    </p>
  );

type Beginning = { c: PortalContext; from?: string; at: string; label: string };

const Begin = ({ c, from, at, label }: Beginning) => (
  <div class="actions">
    <a class="button" href={at}>
      {label}
    </a>
    {from && <a href={ownPath(c.req.query("to"))}>Later</a>}
  </div>
);

/** For a login that had to set up a second factor, when that is no longer required. */
function notRequiredPage(c: PortalContext, who: Who, { who: subject, from }: RequiredOf) {
  const title = from
    ? "Multi-factor authentication is not required yet"
    : "Multi-factor authentication is no longer required";
  const to = ownPath(c.req.query("to") ?? c.get("goal")?.at);
  return cardPage(
    c,
    { title, who },
    <>
      <p>
        {from ? (
          <>
            {subject} will require a second step at login from <Time at={from} /> on.
          </>
        ) : (
          <>{subject} no longer requires a second step at login.</>
        )}{" "}
        Log in again to use all pages. You can also set up multi-factor authentication now.
      </p>
      <div class="actions">
        <a class="button" href={`/login?again&to=${encodeURIComponent(to)}`}>
          Log in again
        </a>
        <a href="/devices">Set Up Multi-Factor Authentication</a>
      </div>
    </>,
  );
}

export type RequiredOf = {
  /** Who requires it, as the subject of a sentence. */
  who: string;
  required: boolean;
  /** When the requirement begins (ISO 8601), if that is in the future. */
  from?: string;
  /** Whether the user has a verified device. */
  enabled: boolean;
  /** Whether a security key or passkey is required now. */
  keyRequired: boolean;
  /** When one becomes required (ISO 8601), if that is in the future. */
  keyRequiredFrom?: string;
  hasKey: boolean;
};

/** Whether the user lacks the security key or passkey that is required, now or later. */
export const mustAddKey = ({ keyRequired, keyRequiredFrom, hasKey }: RequiredOf) =>
  !hasKey && (keyRequired || keyRequiredFrom !== undefined);

/** What is required of the session's user. */
export async function requiredOf(
  deps: CoreDeps,
  { userId }: Pick<Session, "userId">,
): Promise<RequiredOf> {
  const profile = await getMfaProfile(deps.db, userId);
  if (!profile) throw new Problem("unauthenticated");
  const rule = requirementOf(profile, deps.config);
  const methods = configuredMethods(profile.devices);
  const now = deps.clock.now();
  const keyFrom = keyRequiredFrom(profile);
  const isAhead = keyFrom !== undefined && keyFrom > now;
  return {
    who: whoRequires(profile.user, deps.config),
    required: rule.requirement === "required",
    from: requiredFrom(rule, now),
    enabled: methods.length > 0,
    keyRequired: keyFrom !== undefined && !isAhead,
    keyRequiredFrom: isAhead ? new Date(keyFrom).toISOString() : undefined,
    hasKey: methods.includes("webauthn"),
  };
}
