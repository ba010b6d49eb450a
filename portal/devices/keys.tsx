import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { registrationResponseSchema } from "../../api/http/credentials.ts";
import { nicknameSchema } from "../../api/http/inputs.ts";
import type { CoreDeps } from "../../core/deps.ts";
import {
  type KeySetup,
  registerKey,
  restartKey,
  sameKeySetup,
  verifyKeyCredential,
} from "../../core/devices/webauthn.ts";
import { type RelyingParty, relyingParty } from "../../core/webauthn/relying-party.ts";
import {
  field,
  type PortalContext,
  type PortalEnv,
  requireFit,
  takeForm,
  ticked,
} from "../layout/form.ts";
import { credentialIn, KeyForm, KeysNeedScript } from "../layout/keys.tsx";
import { cardPage, type Who, whoOf } from "../layout/layout.tsx";
import { Check, Form, Time } from "../layout/parts.tsx";
import { recentlyLoggedIn, signedIn } from "../layout/session.ts";
import { afterVerified, NameForm, unverifiedOf } from "./set-up-steps.tsx";

const PAGE = "/devices/webauthn/:id";

/** The two steps of a security key's or passkey's set-up. */
export function keyPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  const origin = (c: PortalContext) => clientInfoOf(c, deps.config.TRUSTED_PROXIES);

  app.get("/devices/webauthn/new", async (c) => {
    const session = await recentlyLoggedIn(c, deps, { setup: true });
    relyingParty(deps.config);
    return namePage(c, await whoOf(deps, session));
  });

  const naming = {
    at: "/devices/webauthn/new",
    about: "name",
    unsure: "If the key is in your list by now, verify it there.",
  };
  takeForm(app, "/devices/webauthn", naming, async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    requireFit(["name", nicknameSchema, field(c, "name")]);
    const { device } = await registerKey(deps, session, field(c, "name"), origin(c));
    return c.redirect(`/devices/webauthn/${device.id}`, 303);
  });

  app.get(PAGE, async (c) => {
    const { who, device } = await unverifiedKey(c, deps);
    const setup = await sameKeySetup(deps, device);
    return setup
      ? askPage(c, who, relyingParty(deps.config), setup)
      : answeredPage(c, who, device.id);
  });

  takeForm(app, `${PAGE}/restart`, { at: PAGE }, async (c) => {
    const { device } = await unverifiedKey(c, deps);
    await restartKey(deps, device, origin(c));
    return c.redirect(`/devices/webauthn/${device.id}`, 303);
  });

  takeForm(app, `${PAGE}/verify`, { at: PAGE }, async (c) => {
    const { device } = await unverifiedKey(c, deps);
    const credential = credentialIn(c, registrationResponseSchema);
    const proof = { credential, makeDefault: ticked(c, "makeDefault") };
    return afterVerified(c, await verifyKeyCredential(deps, device, proof, origin(c)));
  });
}

const unverifiedKey = (c: PortalContext, deps: CoreDeps) =>
  unverifiedOf(c, deps, "webauthn", "You have no security key with this ID.");

function namePage(c: PortalContext, who: Who) {
  return cardPage(
    c,
    { title: "Name of your key", who, step: "Step 1 of 2" },
    <>
      <p>
        A security key is a small device that you plug in or hold to your phone. A passkey is kept
        by your phone, your computer or your password manager. Neither works on a false page, so
        nobody can trick you into giving it away.
      </p>
      <KeysNeedScript />
      <NameForm
        action="/devices/webauthn"
        hint="For example, Blue key, or My laptop."
        button="Continue"
        faults={c.get("faults")}
      />
    </>,
  );
}

/** The second step, with the question that the browser passes on to the key. */
function askPage(
  c: PortalContext,
  who: Who,
  rp: RelyingParty,
  { device, options, expiresAt }: KeySetup,
) {
  return cardPage(
    c,
    { title: "Use your key", who, step: "Step 2 of 2", usesKeys: true },
    <KeyForm
      rp={rp}
      action={`/devices/webauthn/${device.id}/verify`}
      creates={options}
      button="Use your security key or passkey"
    >
      <p>
        Press the button. Your browser then asks for the key, or offers to keep a passkey. Finish
        before <Time at={expiresAt} />.
      </p>
      <Check
        faults={c.get("faults")}
        name="makeDefault"
        label="Make this my default authentication method"
        hint="You will be logged out and asked for your key."
        checked
      />
    </KeyForm>,
  );
}

/** The second step after the question was answered, as by a key that was not accepted. */
function answeredPage(c: PortalContext, who: Who, id: string) {
  return cardPage(
    c,
    { title: "Use your key", who, step: "Step 2 of 2" },
    <Form action={`/devices/webauthn/${id}/restart`}>
      <p>Your key was asked before, but this set-up is not finished.</p>
      <div class="actions">
        <button type="submit">Try again</button>
        <a href="/devices">Verify later</a>
      </div>
    </Form>,
  );
}
