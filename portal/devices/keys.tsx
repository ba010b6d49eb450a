import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { registrationResponseSchema } from "../../api/http/credentials.ts";
import { nicknameSchema } from "../../api/http/inputs.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { unverifiedDevice } from "../../core/devices/devices.ts";
import {
  type KeySetup,
  registerKey,
  restartKey,
  sameKeySetup,
  verifyKeyCredential,
} from "../../core/devices/webauthn.ts";
import { Problem } from "../../core/problem.ts";
import { type RelyingParty, relyingParty } from "../../core/webauthn/relying-party.ts";
import { done } from "../layout/flash.ts";
import {
  field,
  type PortalContext,
  type PortalEnv,
  requireFit,
  takeForm,
  ticked,
} from "../layout/form.ts";
import { credentialIn, KeyForm } from "../layout/keys.tsx";
import { cardPage, type Who, whoOf } from "../layout/layout.tsx";
import { Check, Field, Form, Time } from "../layout/parts.tsx";
import { recentlyLoggedIn, signedIn } from "../layout/session.ts";

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
    const { signedOut } = await verifyKeyCredential(deps, device, proof, origin(c));
    // If this ended the session, the login page says so.
    if (signedOut) return c.redirect("/devices", 303);
    return done(c, "/devices", "Device verified. You can use it from your next login.");
  });
}

async function unverifiedKey(c: PortalContext, deps: CoreDeps) {
  const session = await signedIn(c, deps, { setup: true });
  const device = await unverifiedDevice(deps, session, c.req.param("id") ?? "");
  if (device.type !== "webauthn")
    throw new Problem("device_not_found", "You have no security key with this ID.");
  return { who: await whoOf(deps, session), device };
}

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
      <Form action="/devices/webauthn">
        <Field
          name="name"
          label="Device nickname"
          hint="For example, Blue key, or My laptop."
          faults={c.get("faults")}
          autocomplete="off"
          required
        />
        <div class="actions">
          <button type="submit">Continue</button>
          <a href="/devices">Cancel</a>
        </div>
      </Form>
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
    <>
      <p>
        Press the button. Your browser then asks for {device.name}, or offers to keep a passkey.
        Finish before <Time at={expiresAt} />.
      </p>
      <KeyForm
        rp={rp}
        action={`/devices/webauthn/${device.id}/verify`}
        creates={options}
        button="Use your security key or passkey"
      >
        <Check
          faults={c.get("faults")}
          name="makeDefault"
          label="Make this my default authentication method"
          hint="You will be logged out and asked for this key."
          checked
        />
      </KeyForm>
    </>,
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
