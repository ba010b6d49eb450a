import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { changeOwnEmail, emailOf } from "../api/email.ts";
import { originOf } from "../api/origin.ts";
import { emailSchema } from "../api/schemas.ts";
import type { Session } from "../store/redis/sessions.ts";
import { field, type PortalContext, type PortalEnv, requireFit } from "./form.ts";
import { page, whoOf } from "./layout.tsx";
import { Fault, Field, Form } from "./parts.tsx";
import { signedIn } from "./session.ts";
import { faultsOf, NO_FAULTS } from "./words.ts";

/** Where the notices about one's login go. */
export function emailPages(app: Hono<PortalEnv>, deps: Deps) {
  app.get("/devices/email", async (c) => {
    const session = await signedIn(c, deps);
    return emailPage(c, deps, session, (await emailOf(deps, session.userId)) ?? "");
  });

  app.post("/devices/email", async (c) => {
    const session = await signedIn(c, deps);
    const typed = field(c, "email");
    try {
      if (typed) requireFit("email", emailSchema, typed);
      const origin = originOf(c, deps.config.TRUSTED_PROXIES);
      await changeOwnEmail(deps, session, typed || null, origin);
      return c.redirect("/devices?done=email_changed", 303);
    } catch (error) {
      return emailPage(c, deps, session, typed, faultsOf(error, "email"));
    }
  });
}

async function emailPage(
  c: PortalContext,
  deps: Deps,
  session: Session,
  email: string,
  faults = NO_FAULTS,
) {
  return page(
    c,
    {
      title: "Notices by e-mail",
      who: await whoOf(deps, session),
      narrow: true,
      status: faults.status,
    },
    <>
      <Fault faults={faults} />
      <section class="card">
        <h1>Notices by e-mail</h1>
        <p>
          You are told when a device is added or removed, when your recovery codes or your default
          method change, and when your account is locked.
        </p>
        <Form action="/devices/email">
          <Field
            name="email"
            label="E-mail address"
            hint="The address before is told of the change. Left empty, you get no notices."
            faults={faults}
            value={email}
            type="email"
            autocomplete="email"
          />
          <div class="actions">
            <button type="submit">Save</button>
            <a href="/devices">Cancel</a>
          </div>
        </Form>
      </section>
    </>,
  );
}
