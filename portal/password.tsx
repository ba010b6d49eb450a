import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { requireFresh } from "../api/fresh.ts";
import { originOf } from "../api/origin.ts";
import { changeOwnPassword } from "../api/password.ts";
import type { Session } from "../store/redis/sessions.ts";
import type { PortalContext, PortalEnv } from "./form.ts";
import { page, whoOf } from "./layout.tsx";
import { Fault, Field, Form } from "./parts.tsx";
import { signedIn } from "./session.ts";
import { faultsOf, faultyFields, NO_FAULTS } from "./words.ts";

const PATH = "/sessions/password";

/** One's own password. */
export function passwordPages(app: Hono<PortalEnv>, deps: Deps) {
  app.get(PATH, async (c) => {
    const session = await signedIn(c, deps);
    await requireFresh(deps, session);
    return passwordPage(c, deps, session);
  });

  app.post(PATH, async (c) => {
    const session = await signedIn(c, deps);
    // As they were typed: spaces count.
    const typed = (name: string) => c.get("form").get(name) ?? "";
    const [currentPassword, password] = [typed("currentPassword"), typed("password")];
    const missing = {
      ...(!currentPassword && { currentPassword: "Type the password you have now." }),
      ...(password !== typed("repeated") && { repeated: "This is not the same as above." }),
    };
    if (Object.keys(missing).length > 0)
      return passwordPage(c, deps, session, faultyFields(missing));
    try {
      const origin = originOf(c, deps.config.TRUSTED_PROXIES);
      await changeOwnPassword(deps, session, { currentPassword, password }, origin);
      // Every session has ended, which the login page tells.
      return c.redirect("/login", 303);
    } catch (error) {
      return passwordPage(c, deps, session, faultsOf(error));
    }
  });
}

async function passwordPage(c: PortalContext, deps: Deps, session: Session, faults = NO_FAULTS) {
  const who = await whoOf(deps, session);
  return page(
    c,
    { title: "Change your password", who, narrow: true, status: faults.status },
    <>
      <Fault faults={faults} />
      <section class="card">
        <h1>Change your password</h1>
        <p>You are logged out everywhere, and log in with the new one.</p>
        <Form action={PATH}>
          {/* For password managers. */}
          <input type="text" value={who.username} autocomplete="username" readonly hidden />
          <Field
            name="currentPassword"
            label="Current password"
            faults={faults}
            type="password"
            autocomplete="current-password"
            required
          />
          <Field
            name="password"
            label="New password"
            hint="At least 8 characters."
            faults={faults}
            type="password"
            autocomplete="new-password"
            required
          />
          <Field
            name="repeated"
            label="New password again"
            faults={faults}
            type="password"
            autocomplete="new-password"
            required
          />
          <div class="actions">
            <button type="submit">Change the password</button>
            <a href="/sessions">Cancel</a>
          </div>
        </Form>
      </section>
    </>,
  );
}
