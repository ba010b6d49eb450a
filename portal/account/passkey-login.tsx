import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { changePasskeyLogin, getPasskeyLogin } from "../../core/account/passkey-login.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { Problem } from "../../core/problem.ts";
import { done } from "../layout/flash.ts";
import { field, type PortalEnv, takeForm } from "../layout/form.ts";
import { cardPage } from "../layout/layout.tsx";
import { Form } from "../layout/parts.tsx";
import { recentlyLoggedInAs, signedInAs } from "../layout/roles.ts";

export const PASSKEY_LOGIN = "/account/passkey-login";
export const PASSKEY_LOGIN_TITLE = "Login by passkey alone";

const CHOICES = [
  { value: "yes", label: "Allowed" },
  { value: "no", label: "Not allowed: users need their password, too" },
] as const;

/** The form by which an administrator allows logins by a passkey alone, or not. */
export function passkeyLoginPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get(PASSKEY_LOGIN, async (c) => {
    const who = await recentlyLoggedInAs(c, deps, "administrator");
    const { allowed } = await getPasskeyLogin(deps, who.session);
    return cardPage(
      c,
      { title: PASSKEY_LOGIN_TITLE, who },
      <Form action={PASSKEY_LOGIN}>
        <p>
          A passkey that its user unlocks by a PIN, a fingerprint or a face is two factors in one.
          If it may not log in alone, it still works as second step after the password. Nobody is
          logged out.
        </p>
        <fieldset>
          <legend>Users may log in by a passkey alone</legend>
          {CHOICES.map(({ value, label }) => (
            <div class="check">
              <input
                type="radio"
                name="allowed"
                id={value}
                value={value}
                checked={value === (c.get("faults").typed?.allowed ?? (allowed ? "yes" : "no"))}
                required
              />
              <label for={value}>{label}</label>
            </div>
          ))}
        </fieldset>
        <div class="actions">
          <button type="submit">Save Setting</button>
          <a href="/account">Cancel</a>
        </div>
      </Form>,
    );
  });

  takeForm(app, PASSKEY_LOGIN, { at: PASSKEY_LOGIN }, async (c) => {
    const { session } = await signedInAs(c, deps, "administrator");
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    const choice = field(c, "allowed");
    // Not a checkbox: a form that lacks its field must change nothing.
    if (!CHOICES.some(({ value }) => value === choice))
      throw new Problem("invalid_request", "Choose whether it is allowed.");
    await changePasskeyLogin(deps, session, { allowed: choice === "yes" }, origin);
    return done(c, "/account", "The setting was saved.");
  });
}
