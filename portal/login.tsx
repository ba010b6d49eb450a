import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { logIn } from "../api/login.ts";
import { originOf } from "../api/origin.ts";
import { Problem } from "../api/problem.ts";
import type { Session } from "../store/redis/sessions.ts";
import { field, ownPath, type PortalContext, type PortalEnv } from "./form.ts";
import { page } from "./layout.tsx";
import { Fault, Field, Form, Notice } from "./parts.tsx";
import { endSession, keepToken, signedIn } from "./session.ts";
import { type Faults, faultsOf, faultyFields, NO_FAULTS } from "./words.ts";

const AGAIN =
  "This needs a login of the last 15 minutes, with every factor you have. Log in again to go on.";

/** The first step of a login, and the way out. */
export function loginPages(app: Hono<PortalEnv>, deps: Deps) {
  app.get("/", async (c) => {
    const { scope } = await signedIn(c, deps, { setup: true });
    return c.redirect(scope === "mfa_setup" ? "/set-up" : "/devices", 303);
  });

  app.get("/login", async (c) => {
    const to = ownPath(c.req.query("to"));
    const again = c.req.query("again") !== undefined;
    const { live, ended } = await sessionOrEnd(c, deps);
    if (live && !again) return c.redirect(to, 303);
    return loginPage(c, { to, message: live ? AGAIN : ended });
  });

  app.post("/login", async (c) => {
    const to = ownPath(field(c, "to"));
    const username = field(c, "username");
    const password = c.get("form").get("password") ?? "";
    const missing = {
      ...(!username && { username: "Type your user name." }),
      ...(!password && { password: "Type your password." }),
    };
    if (Object.keys(missing).length > 0)
      return loginPage(c, { to, username, faults: faultyFields(missing) });
    try {
      const origin = originOf(c, deps.config.TRUSTED_PROXIES);
      const result = await logIn(deps, { username, password }, origin);
      if (result.status === "challenge")
        return c.redirect(`/login/${result.challenge.id}?to=${encodeURIComponent(to)}`, 303);
      await keepToken(c, deps, result.session.token);
      const told = result.status === "setup_required" || result.multiFactorRequiredFrom;
      return c.redirect(told ? `/set-up?to=${encodeURIComponent(to)}` : to, 303);
    } catch (error) {
      const wrong = error instanceof Problem && error.code === "invalid_credentials";
      const faults = faultsOf(error, wrong ? "password" : undefined);
      return loginPage(c, { to, username, faults });
    }
  });

  app.post("/logout", async (c) => {
    await endSession(deps, await signedIn(c, deps, { setup: true }));
    return c.redirect("/login", 303);
  });
}

type LoginPage = { to: string; username?: string; message?: string; faults?: Faults };

function loginPage(c: PortalContext, { to, username, message, faults = NO_FAULTS }: LoginPage) {
  return page(
    c,
    { title: "Log in", narrow: true, status: faults.status },
    <>
      {message && <Notice>{message}</Notice>}
      <Fault faults={faults} />
      <section class="card">
        <h1>Log in</h1>
        <Form action="/login">
          <input type="hidden" name="to" value={to} />
          <Field
            name="username"
            label="User name"
            faults={faults}
            value={username}
            autocomplete="username"
            autocapitalize="none"
            spellcheck="false"
            required
          />
          <Field
            name="password"
            label="Password"
            faults={faults}
            type="password"
            autocomplete="current-password"
            required
          />
          <button type="submit">Log in</button>
        </Form>
      </section>
    </>,
  );
}

/** The browser's live session, or in what way its last one ended. */
async function sessionOrEnd(
  c: PortalContext,
  deps: Deps,
): Promise<{ live?: Session; ended?: string }> {
  try {
    return { live: await signedIn(c, deps, { setup: true }) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.code === "session_expired") return { ended: "Your session has ended. Log in again." };
    return error.code === "session_revoked" ? { ended: error.message } : {};
  }
}
