import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { getMultiFactor } from "../api/devices.ts";
import { originOf } from "../api/origin.ts";
import { methodSchema } from "../api/schemas.ts";
import { changeDefaultMethod } from "../api/settings.ts";
import { METHODS } from "../store/methods.ts";
import type { Session } from "../store/redis/sessions.ts";
import { field, type PortalContext, type PortalEnv } from "./form.ts";
import { page, whoOf } from "./layout.tsx";
import { Fault, Form } from "./parts.tsx";
import { signedIn } from "./session.ts";
import { faultsOf, faultyFields, METHOD_WORDS, NO_FAULTS } from "./words.ts";

/** The method that logins begin with. */
export function defaultMethodPages(app: Hono<PortalEnv>, deps: Deps) {
  app.get("/devices/default", async (c) => defaultPage(c, deps, await signedIn(c, deps)));

  app.post("/devices/default", async (c) => {
    const session = await signedIn(c, deps);
    const method = methodSchema.safeParse(field(c, "method"));
    const nothing = { ...faultyFields({}), whole: "Choose one of the methods." };
    if (!method.success) return defaultPage(c, deps, session, nothing);
    try {
      const origin = originOf(c, deps.config.TRUSTED_PROXIES);
      await changeDefaultMethod(deps, session, method.data, origin);
      return c.redirect("/devices?done=default_changed", 303);
    } catch (error) {
      return defaultPage(c, deps, session, faultsOf(error));
    }
  });
}

async function defaultPage(c: PortalContext, deps: Deps, session: Session, faults = NO_FAULTS) {
  const { defaultMethod } = await getMultiFactor(deps, session);
  return page(
    c,
    {
      title: "Default authentication method",
      who: await whoOf(deps, session),
      narrow: true,
      status: faults.status,
    },
    <>
      <Fault faults={faults} />
      <section class="card">
        <h1>Default authentication method</h1>
        <Form action="/devices/default">
          <fieldset>
            <legend>Begin logins with</legend>
            {METHODS.map((method) => (
              <div class="check">
                <input
                  type="radio"
                  name="method"
                  id={method}
                  value={method}
                  checked={method === defaultMethod}
                />
                <label for={method}>{METHOD_WORDS[method]}</label>
              </div>
            ))}
          </fieldset>
          <p class="quiet">At each login you can still choose the other one.</p>
          <div class="actions">
            <button type="submit">Save</button>
            <a href="/devices">Cancel</a>
          </div>
        </Form>
      </section>
    </>,
  );
}
