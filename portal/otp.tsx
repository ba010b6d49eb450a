import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { unverifiedDevice } from "../api/devices.ts";
import { originOf } from "../api/origin.ts";
import {
  type OtpSetup,
  registerOtpDevice,
  restartOtpDevice,
  verifyOtpCode,
} from "../api/otp-devices.ts";
import { Problem } from "../api/problem.ts";
import { nicknameSchema } from "../api/schemas.ts";
import { done } from "./flash.ts";
import { field, type PortalContext, type PortalEnv, requireFit, takeForm, ticked } from "./form.ts";
import { page, type Who, whoOf } from "./layout.tsx";
import { Check, CodeField, Field, Form } from "./parts.tsx";
import { signedIn, signedInLately } from "./session.ts";
import { type Faults, NO_FAULTS } from "./words.ts";

/** The two steps to an authenticator app. */
export function otpPages(app: Hono<PortalEnv>, deps: Deps) {
  const origin = (c: PortalContext) => originOf(c, deps.config.TRUSTED_PROXIES);

  app.get("/devices/otp/new", async (c) =>
    namePage(c, await whoOf(deps, await signedInLately(c, deps, { setup: true }))),
  );

  takeForm(app, "/devices/otp", { at: "/devices/otp/new", about: "name" }, async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    requireFit("name", nicknameSchema, field(c, "name"));
    const setup = await registerOtpDevice(deps, session, field(c, "name"), origin(c));
    return setUpPage(c, await whoOf(deps, session), setup);
  });

  app.get("/devices/otp/:id", async (c) => {
    const { who, device } = await unverifiedApp(c, deps);
    return codePage(c, who, device);
  });

  takeForm(app, "/devices/otp/:id/restart", { at: "/devices/otp/:id" }, async (c) => {
    const { who, session, device } = await unverifiedApp(c, deps);
    return setUpPage(c, who, await restartOtpDevice(deps, session, device, origin(c)));
  });

  takeForm(app, "/devices/otp/:id/verify", { at: "/devices/otp/:id", about: "code" }, async (c) => {
    const { session, device } = await unverifiedApp(c, deps);
    const proof = { code: field(c, "code"), makeDefault: ticked(c, "makeDefault") };
    const { signedOut } = await verifyOtpCode(deps, session, device, proof, origin(c));
    // Where the session has ended with that, the login page says so.
    if (signedOut) return c.redirect("/devices", 303);
    return done(c, "/devices", "The device is verified. It can be used from the next login on.");
  });
}

async function unverifiedApp(c: PortalContext, deps: Deps) {
  const session = await signedIn(c, deps, { setup: true });
  const device = await unverifiedDevice(deps, session, c.req.param("id") ?? "");
  if (device.type !== "otp") throw new Problem("device_not_found", "You have no app with this ID.");
  return { who: await whoOf(deps, session), session, device };
}

function namePage(c: PortalContext, who: Who) {
  return page(
    c,
    { title: "Name Your Device", who, narrow: true },
    <section class="card">
      <p class="step">Step 1 of 2</p>
      <h1>Name Your Device</h1>
      <p>
        Have an authenticator app at hand, such as Google Authenticator, Authy, Duo or 1Password.
      </p>
      <Form action="/devices/otp">
        <Field
          name="name"
          label="Name of the device"
          hint="To know it by, such as My phone."
          faults={c.get("faults")}
          autocomplete="off"
          required
        />
        <div class="actions">
          <button type="submit">Continue</button>
          <a href="/devices">Cancel</a>
        </div>
      </Form>
    </section>,
  );
}

/** The answer that shows the secret; the same form sent again leads to where another can be made. */
function setUpPage(c: PortalContext, who: Who, { device, secret, qrCode }: OtpSetup) {
  c.set("onRepeat", `/devices/otp/${device.id}`);
  return page(
    c,
    { title: "Verify Code", who, narrow: true },
    <section class="card">
      <p class="step">Step 2 of 2</p>
      <h1>Verify Code</h1>
      <p>Scan this barcode with your authenticator app. It is shown this once.</p>
      <img class="barcode" src={qrCode} alt="The barcode for your authenticator app" />
      <p>
        Or type this secret into the app:
        <br />
        <code class="secret" id="secret">
          {secret.replace(/(.{4})(?=.)/g, "$1 ")}
        </code>
      </p>
      <p>
        <button type="button" class="second small" data-copy="secret" hidden>
          Copy the secret
        </button>{" "}
        <span id="told" role="status" />
      </p>
      <CodeForm id={device.id} faults={NO_FAULTS} />
    </section>,
  );
}

function codePage(c: PortalContext, who: Who, { id, name }: { id: string; name: string | null }) {
  const faults = c.get("faults");
  return page(
    c,
    { title: "Verify Code", who, narrow: true },
    <>
      <section class="card">
        <p class="step">Step 2 of 2</p>
        <h1>Verify Code</h1>
        <p>If you have added {name} to your authenticator app, type the code that it shows.</p>
        <CodeForm id={id} faults={faults} />
      </section>
      <section class="card">
        <h2>Not in your app yet?</h2>
        <p>
          The barcode was shown once. A new one can be made; what you have scanned before no longer
          works then.
        </p>
        <Form action={`/devices/otp/${id}/restart`}>
          <button type="submit" class="second">
            Show a new barcode
          </button>
        </Form>
      </section>
    </>,
  );
}

function CodeForm({ id, faults }: { id: string; faults: Faults }) {
  return (
    <Form action={`/devices/otp/${id}/verify`}>
      <CodeField hint="6 digits; the app shows new ones every 30 seconds." faults={faults} />
      <Check
        faults={faults}
        name="makeDefault"
        label="Make this my default authentication method"
        hint="You are logged out, and log in again with this device."
        checked
      />
      <div class="actions">
        <button type="submit">Verify</button>
        <a href="/devices">Verify later</a>
      </div>
    </Form>
  );
}
