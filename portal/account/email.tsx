import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { emailSchema } from "../../api/http/inputs.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { changeOwnEmail, emailOf } from "../../core/users/email.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { EmailField } from "../layout/fields.tsx";
import { done } from "../layout/flash.ts";
import { field, type PortalContext, type PortalEnv, requireFit, takeForm } from "../layout/form.ts";
import { cardPage, whoOf } from "../layout/layout.tsx";
import { Form } from "../layout/parts.tsx";
import { recentlyLoggedIn, signedIn } from "../layout/session.ts";

/** The page for the address of the user's security notifications. */
export function emailPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get("/devices/email", async (c) => emailPage(c, deps, await recentlyLoggedIn(c, deps)));

  takeForm(app, "/devices/email", { at: "/devices/email", about: "email" }, async (c) => {
    const session = await signedIn(c, deps);
    const typed = field(c, "email");
    if (typed) requireFit(["email", emailSchema, typed]);
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    const { changed } = await changeOwnEmail(deps, session, typed || null, origin);
    if (!changed) return done(c, "/devices", "Your email address stays as it was.");
    const said = typed
      ? "Your email address was changed."
      : "Your email address was removed. You get no notifications.";
    return done(c, "/devices", said);
  });
}

async function emailPage(c: PortalContext, deps: CoreDeps, session: Session) {
  return cardPage(
    c,
    {
      title: "Email notifications",
      who: await whoOf(deps, session),
    },
    <>
      <p>
        We tell you when your devices, recovery codes, default method, password, role, API key or
        this address change, when a recovery code is used, when your account is locked, unlocked,
        reset or linked, and when multi-factor authentication is turned on or off.
      </p>
      <Form action="/devices/email">
        <EmailField
          label="Email address"
          hint="We'll tell your old address about this change. Leave empty to turn notifications off."
          faults={c.get("faults")}
          value={(await emailOf(deps, session.userId)) ?? ""}
          own
        />
        <div class="actions">
          <button type="submit">Save</button>
          <a href="/devices">Cancel</a>
        </div>
      </Form>
    </>,
  );
}
