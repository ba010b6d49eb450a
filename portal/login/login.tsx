import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { credentialsSchema } from "../../api/http/inputs.ts";
import { allowStoringLogin } from "../../api/http/stored-responses.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { logIn } from "../../core/login/start-login.ts";
import { Problem } from "../../core/problem.ts";
import { endSession } from "../../core/sessions/sessions.ts";
import { findRelyingParty } from "../../core/webauthn/relying-party.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { PasswordField, UsernameField } from "../layout/fields.tsx";
import {
  badFields,
  field,
  ownPath,
  type PortalContext,
  type PortalEnv,
  requireFit,
  takeForm,
} from "../layout/form.ts";
import { cardPage } from "../layout/layout.tsx";
import { Form, Notice } from "../layout/parts.tsx";
import { signedIn, tryCookies } from "../layout/session.ts";
import { enter, loginPlace, losesCookies } from "./enter.ts";
import { PasskeyForm } from "./passkey.tsx";

const AGAIN = "For your security, confirm it's you to continue.";

/** The first step of a login, and the logout. */
export function loginPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get("/", async (c) => {
    const { scope } = await signedIn(c, deps, { setup: true });
    return c.redirect(scope === "mfa_setup" ? "/set-up" : "/devices", 303);
  });

  app.get("/login", async (c) => {
    const again = c.req.query("again") !== undefined;
    const { live, ended, reason } = await sessionOrEnd(c, deps);
    // The login after a set-up leads to the goal of the login before the set-up.
    const goal = reason === "device_verified" ? c.get("goal")?.at : undefined;
    const to = ownPath(goal ?? c.req.query("to"));
    if (live && !again) return c.redirect(to, 303);
    const message = live ? AGAIN : ended;
    tryCookies(c, deps);
    return loginPage(c, deps, {
      to,
      again,
      message: c.get("faults").status === 200 ? message : undefined,
    });
  });

  app.get("/login/cookies", async (c) => cookiesPage(c, deps));

  const options = { at: loginPlace, about: { invalid_credentials: "password" } };
  takeForm(app, "/login", options, async (c) => {
    if (losesCookies(c, deps)) return c.redirect("/login/cookies", 303);
    const to = ownPath(field(c, "to"));
    const username = field(c, "username");
    const password = c.get("form").get("password") ?? "";
    const missing = {
      ...(!username && { username: "Enter your user name." }),
      ...(!password && { password: "Enter your password." }),
    };
    if (Object.keys(missing).length > 0) throw badFields(missing);
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    const { shape } = credentialsSchema;
    requireFit(["username", shape.username, username], ["password", shape.password, password]);
    const result = allowStoringLogin(c, await logIn(deps, { username, password }, origin));
    if (result.status === "challenge")
      return c.redirect(`/login/${result.challenge.id}?to=${encodeURIComponent(to)}`, 303);
    return enter(c, deps, result, to);
  });

  takeForm(app, "/logout", { at: "/" }, async (c) => {
    // The cookie stays: by it the login page knows why the session has ended.
    await endSession(deps, await signedIn(c, deps, { setup: true }), "signed_out");
    return c.redirect("/login", 303);
  });
}

function loginPage(
  c: PortalContext,
  { config }: CoreDeps,
  { to, again, message }: { to: string; again: boolean; message?: string },
) {
  const faults = c.get("faults");
  const rp = findRelyingParty(config);
  const place = (
    <>
      <input type="hidden" name="to" value={to} />
      {again && <input type="hidden" name="again" />}
    </>
  );
  return cardPage(
    c,
    {
      title: "Log in",
      before: message && <Notice>{message}</Notice>,
      after: rp && (
        <section class="card">
          <PasskeyForm rp={rp}>{place}</PasskeyForm>
        </section>
      ),
      usesKeys: rp !== undefined,
    },
    <Form action="/login">
      {place}
      <UsernameField label="User name" faults={faults} own={rp ? "or passkey" : "alone"} />
      <PasswordField kind="current-password" label="Password" faults={faults} />
      <button type="submit">Log in</button>
    </Form>,
  );
}

/** The page that says why a login cannot last in this browser. */
function cookiesPage(c: PortalContext, { config }: CoreDeps) {
  const title = "Your browser did not keep our cookie";
  return cardPage(
    c,
    { title },
    <>
      <p>
        A cookie keeps you logged in. Allow cookies for this site, and open it with https:// in
        front of its address
        {config.NODE_ENV !== "production" &&
          ", or with http://localhost on the machine where it runs"}
        .
      </p>
      <a class="button" href="/login">
        Log in
      </a>
    </>,
  );
}

/** The browser's live session, or why its last one ended. */
async function sessionOrEnd(
  c: PortalContext,
  deps: CoreDeps,
): Promise<{ live?: Session; ended?: string; reason?: unknown }> {
  try {
    return { live: await signedIn(c, deps, { setup: true }) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.code === "session_expired") return { ended: "Your session has ended. Log in again." };
    if (error.code !== "session_revoked") return {};
    return { ended: error.message, reason: error.extra.members?.reason };
  }
}
