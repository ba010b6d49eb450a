import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { changePasskeyLogin, getPasskeyLogin } from "../../core/account/passkey-login.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { done } from "../layout/flash.ts";
import { type PortalEnv, takeForm, ticked } from "../layout/form.ts";
import { cardPage } from "../layout/layout.tsx";
import { Check, Form } from "../layout/parts.tsx";
import { recentlyLoggedInAs, signedInAs } from "../layout/roles.ts";

export const PASSKEY_LOGIN = "/account/passkey-login";
export const PASSKEY_LOGIN_TITLE = "Login by passkey alone";

/** The form by which an administrator allows logins by a passkey alone, or not. */
export function passkeyLoginPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get(PASSKEY_LOGIN, async (c) => {
    const who = await recentlyLoggedInAs(c, deps, "administrator");
    const { allowed } = await getPasskeyLogin(deps, who.session);
    return cardPage(
      c,
      { title: PASSKEY_LOGIN_TITLE, who },
      <Form action={PASSKEY_LOGIN}>
        <Check
          name="allowed"
          label="Users may log in by a passkey alone"
          hint="A passkey that its user unlocks by a PIN, a fingerprint or a face is two factors in one. Without this, it still works as second step after the password. Nobody is logged out."
          faults={c.get("faults")}
          checked={allowed}
        />
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
    await changePasskeyLogin(deps, session, { allowed: ticked(c, "allowed") }, origin);
    return done(c, "/account", "The setting was saved.");
  });
}
