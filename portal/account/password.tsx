import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { changeOwnPassword } from "../../core/users/password.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { NewPasswordField, PasswordField } from "../layout/fields.tsx";
import { badFields, type PortalContext, type PortalEnv, takeForm } from "../layout/form.ts";
import { cardPage, whoOf } from "../layout/layout.tsx";
import { Form } from "../layout/parts.tsx";
import { recentlyLoggedIn, signedIn } from "../layout/session.ts";

const PATH = "/sessions/password";

/** The page where users change their own password. */
export function passwordPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get(PATH, async (c) => {
    return passwordPage(c, deps, await recentlyLoggedIn(c, deps));
  });

  takeForm(app, PATH, { at: PATH }, async (c) => {
    const session = await signedIn(c, deps);
    // As they were typed: spaces count.
    const typed = (name: string) => c.get("form").get(name) ?? "";
    const [currentPassword, password] = [typed("currentPassword"), typed("password")];
    const missing = {
      ...(!currentPassword && { currentPassword: "Enter your current password." }),
      ...(password !== typed("repeated") && { repeated: "The passwords don't match." }),
    };
    if (Object.keys(missing).length > 0) throw badFields(missing);
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    await changeOwnPassword(deps, session, { currentPassword, password }, origin);
    // Every session has ended; the login page says so.
    return c.redirect("/login", 303);
  });
}

async function passwordPage(c: PortalContext, deps: CoreDeps, session: Session) {
  const faults = c.get("faults");
  const who = await whoOf(deps, session);
  return cardPage(
    c,
    { title: "Change your password", who },
    <>
      <p>You will be logged out everywhere and must log in with the new password.</p>
      <Form action={PATH}>
        {/* For password managers. */}
        <input type="text" value={who.username} autocomplete="username" readonly hidden />
        <PasswordField
          name="currentPassword"
          kind="current-password"
          label="Current password"
          faults={faults}
        />
        <NewPasswordField label="New password" faults={faults} limits={deps.config.limits} />
        <PasswordField
          name="repeated"
          kind="new-password"
          label="New password again"
          faults={faults}
        />
        <div class="actions">
          <button type="submit">Change the password</button>
          <a href="/sessions">Cancel</a>
        </div>
      </Form>
    </>,
  );
}
