import type { Hono } from "hono";
import type { Child } from "hono/jsx";
import { clientInfoOf } from "../../api/http/client.ts";
import { assertionResponseSchema } from "../../api/http/credentials.ts";
import { allowStoringLogin } from "../../api/http/stored-responses.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { logInByPasskey } from "../../core/login/passkey.ts";
import type { RelyingParty } from "../../core/webauthn/relying-party.ts";
import { field, ownPath, type PortalEnv, takeForm } from "../layout/form.ts";
import { credentialIn, KeyForm } from "../layout/keys.tsx";
import { enter, loginPlace, losesCookies } from "./enter.ts";

/** The login by a passkey alone. */
export function passkeyPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  takeForm(app, "/login/passkey", { at: loginPlace }, async (c) => {
    if (losesCookies(c, deps)) return c.redirect("/login/cookies", 303);
    const credential = credentialIn(c, assertionResponseSchema);
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    const login = await logInByPasskey(deps, { id: field(c, "request"), credential }, origin);
    allowStoringLogin(c, { status: "authenticated", ...login });
    return enter(c, deps, login, ownPath(field(c, "to")));
  });
}

/** Offers a passkey on the login page: by a button, and in the field of the user name. */
export const PasskeyForm = ({ rp, children }: { rp: RelyingParty; children: Child }) => (
  <KeyForm
    rp={rp}
    action="/login/passkey"
    from="/v1/login/passkey/options"
    autofill
    button="Log in with a passkey"
  >
    {children}
  </KeyForm>
);
