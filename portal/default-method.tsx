import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { getMultiFactor } from "../api/devices.ts";
import { originOf } from "../api/origin.ts";
import { Problem } from "../api/problem.ts";
import { methodSchema } from "../api/schemas.ts";
import { changeDefaultMethod } from "../api/settings.ts";
import { METHODS } from "../store/methods.ts";
import type { Session } from "../store/redis/sessions.ts";
import { done } from "./flash.ts";
import { field, type PortalContext, type PortalEnv, takeForm } from "./form.ts";
import { page, whoOf } from "./layout.tsx";
import { Form } from "./parts.tsx";
import { signedIn, signedInLately } from "./session.ts";
import { METHOD_WORDS } from "./words.ts";

/** The method that logins begin with. */
export function defaultMethodPages(app: Hono<PortalEnv>, deps: Deps) {
  app.get("/devices/default", async (c) => defaultPage(c, deps, await signedInLately(c, deps)));

  takeForm(app, "/devices/default", { at: "/devices/default" }, async (c) => {
    const session = await signedIn(c, deps);
    const method = methodSchema.safeParse(field(c, "method"));
    if (!method.success) throw new Problem("invalid_request", "Choose one of the methods.");
    const origin = originOf(c, deps.config.TRUSTED_PROXIES);
    const changed = await changeDefaultMethod(deps, session, method.data, origin);
    const said = changed ? "was changed" : "stays as it was";
    return done(c, "/devices", `Your default authentication method ${said}.`);
  });
}

async function defaultPage(c: PortalContext, deps: Deps, session: Session) {
  const { defaultMethod } = await getMultiFactor(deps, session);
  const chosen = c.get("faults").typed?.method ?? defaultMethod;
  return page(
    c,
    {
      title: "Default authentication method",
      who: await whoOf(deps, session),
      narrow: true,
    },
    <section class="card">
      <h1>Default authentication method</h1>
      <Form action="/devices/default">
        <fieldset>
          <legend>Ask me first for</legend>
          {METHODS.map((method) => (
            <div class="check">
              <input
                type="radio"
                name="method"
                id={method}
                value={method}
                checked={method === chosen}
              />
              <label for={method}>{METHOD_WORDS[method]}</label>
            </div>
          ))}
        </fieldset>
        <p class="quiet">You can still choose the other method when you log in.</p>
        <div class="actions">
          <button type="submit">Save</button>
          <a href="/devices">Cancel</a>
        </div>
      </Form>
    </section>,
  );
}
