import type { Child } from "hono/jsx";
import type { Challenge } from "../../core/login/challenge-view.ts";
import type { RelyingParty } from "../../core/webauthn/relying-party.ts";
import { KeyForm } from "../layout/keys.tsx";
import { Time } from "../layout/parts.tsx";

/** The title and the button of the second step by a key. */
export const USE_KEY = "Use your security key or passkey";

type Step = { challenge: Challenge; rp?: RelyingParty; children: Child };

/** Asks for the key; `children` are the form's hidden fields. */
export function KeyStep({ challenge: { id, expiresAt }, rp, children }: Step) {
  if (!rp) return <p role="alert">Security keys and passkeys cannot be used here yet.</p>;
  return (
    <KeyForm
      rp={rp}
      action={`/login/${id}/verify`}
      from={`/v1/login/challenges/${id}/webauthn`}
      button={USE_KEY}
    >
      <p>
        Press the button, and your browser asks for your key. Answer before <Time at={expiresAt} />.
      </p>
      {children}
    </KeyForm>
  );
}
