import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { methodSchema } from "../../api/http/inputs.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { changeDefaultMethod } from "../../core/devices/default-method.ts";
import { getMultiFactor } from "../../core/devices/devices.ts";
import { Problem } from "../../core/problem.ts";
import { METHODS } from "../../store/methods.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { done } from "../layout/flash.ts";
import { field, type PortalContext, type PortalEnv, takeForm } from "../layout/form.ts";
import { cardPage, whoOf } from "../layout/layout.tsx";
import { Form } from "../layout/parts.tsx";
import { recentlyLoggedIn, signedIn } from "../layout/session.ts";
import { METHOD_WORDS } from "../layout/words.ts";
import { requiredOf } from "../login/set-up.tsx";

/** The page to choose the default method. */
export function defaultMethodPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get("/devices/default", async (c) => defaultPage(c, deps, await recentlyLoggedIn(c, deps)));

  takeForm(app, "/devices/default", { at: "/devices/default" }, async (c) => {
    const session = await signedIn(c, deps);
    const method = methodSchema.safeParse(field(c, "method"));
    if (!method.success) throw new Problem("invalid_request", "Choose one of the methods.");
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    const changed = await changeDefaultMethod(deps, session, method.data, origin);
    const said = changed ? "was changed" : "stays as it was";
    return done(c, "/devices", `Your default authentication method ${said}.`);
  });
}

async function defaultPage(c: PortalContext, deps: CoreDeps, session: Session) {
  const { defaultMethod, devices } = await getMultiFactor(deps, session);
  const offered = METHODS.filter((method) =>
    devices.some(({ type, verified }) => verified && type === method),
  );
  const { keyRequired } = await requiredOf(deps, session);
  const chosen = c.get("faults").typed?.method ?? defaultMethod;
  return cardPage(
    c,
    {
      title: "Default authentication method",
      who: await whoOf(deps, session),
    },
    <Form action="/devices/default">
      <fieldset>
        <legend>Ask me first for</legend>
        {offered.map((method) => (
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
      {!keyRequired && <p class="quiet">You can still choose another method when you log in.</p>}
      <div class="actions">
        <button type="submit">Save</button>
        <a href="/devices">Cancel</a>
      </div>
    </Form>,
  );
}
