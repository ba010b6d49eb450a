import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { nicknameSchema } from "../../api/http/inputs.ts";
import type { CoreDeps } from "../../core/deps.ts";
import {
  type OtpSetup,
  registerOtpDevice,
  restartOtpDevice,
  sameSetup,
  verifyOtpCode,
} from "../../core/devices/otp.ts";
import { requireSetUpRight } from "../../core/devices/set-up-rights.ts";
import {
  field,
  type PortalContext,
  type PortalEnv,
  requireFit,
  takeForm,
  ticked,
} from "../layout/form.ts";
import { cardPage, type Who, whoOf } from "../layout/layout.tsx";
import { Check, CodeField, Form, Time } from "../layout/parts.tsx";
import { recentlyLoggedIn, signedIn } from "../layout/session.ts";
import { isOwnSetUp, keepSetUp, ownSetUpUntil } from "./own-set-up.ts";
import { afterVerified, NameForm, unverifiedOf } from "./set-up-steps.tsx";

/** The two steps of an authenticator app's set-up. */
export function otpPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  const origin = (c: PortalContext) => clientInfoOf(c, deps.config.TRUSTED_PROXIES);

  app.get("/devices/otp/new", async (c) => {
    const session = await recentlyLoggedIn(c, deps, { setup: true });
    await requireSetUpRight(deps, session, "otp");
    return namePage(c, await whoOf(deps, session));
  });

  const naming = {
    at: "/devices/otp/new",
    about: "name",
    unsure: "If the device is in your list by now, verify it there with a new QR code.",
  };
  takeForm(app, "/devices/otp", naming, async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    requireFit(["name", nicknameSchema, field(c, "name")]);
    const { device } = await registerOtpDevice(deps, session, field(c, "name"), origin(c));
    await keepSetUp(deps, session, device.id);
    return c.redirect(`/devices/otp/${device.id}`, 303);
  });

  app.get("/devices/otp/:id", async (c) => {
    const { who, device } = await unverifiedApp(c, deps);
    const own = await isOwnSetUp(deps, who.session, device.id);
    if (!own) return codePage(c, who, device);
    const until = await ownSetUpUntil(deps, who.session, device.id);
    return codePage(c, who, device, { ...(await sameSetup(deps, device)), until });
  });

  const restarting = {
    at: "/devices/otp/:id",
    unsure: "The old QR code may no longer work, so create a new one now.",
  };
  takeForm(app, "/devices/otp/:id/restart", restarting, async (c) => {
    const { who, device } = await unverifiedApp(c, deps);
    await restartOtpDevice(deps, device, origin(c));
    await keepSetUp(deps, who.session, device.id);
    return c.redirect(`/devices/otp/${device.id}`, 303);
  });

  takeForm(app, "/devices/otp/:id/verify", { at: "/devices/otp/:id", about: "code" }, async (c) => {
    const { device } = await unverifiedApp(c, deps);
    const proof = { code: field(c, "code"), makeDefault: ticked(c, "makeDefault") };
    return afterVerified(c, await verifyOtpCode(deps, device, proof, origin(c)));
  });
}

const unverifiedApp = (c: PortalContext, deps: CoreDeps) =>
  unverifiedOf(c, deps, "otp", "You have no app with this ID.");

function namePage(c: PortalContext, who: Who) {
  return cardPage(
    c,
    { title: "Name of your Device", who, step: "Step 1 of 2" },
    <>
      <p>
        You need an authenticator app, such as Google Authenticator, Microsoft Authenticator, Authy,
        Duo, SecureAuth, 2FAS, Aegis or 1Password.
      </p>
      <NameForm
        action="/devices/otp"
        hint="For example, My phone. Your app shows it beside the code."
        button="Add Device"
        faults={c.get("faults")}
      />
    </>,
  );
}

type App = { id: string; name: string | null };

/** `until`: when the page stops showing the QR code (ISO 8601). */
type ShownSetup = OtpSetup & { until: string };

/** The second step; `setup` is only given to the session that began the set-up. */
function codePage(c: PortalContext, who: Who, { id, name }: App, setup?: ShownSetup) {
  return cardPage(
    c,
    {
      title: "Verify Code",
      who,
      step: "Step 2 of 2",
      after: (
        <section class="card">
          <h2>{setup ? "QR code does not work?" : "Not in your app yet?"}</h2>
          <p>
            {!setup && "We do not show its QR code any more. "}You can create a new one. The old one
            will stop working.
          </p>
          <Form action={`/devices/otp/${id}/restart`}>
            <button type="submit" class="second">
              Create a new QR code
            </button>
          </Form>
        </section>
      ),
    },
    <>
      {setup ? (
        <Barcode setup={setup} />
      ) : (
        <p>If you have added {name} to your authenticator app, enter the code that it shows.</p>
      )}
      <CodeForm c={c} id={id} />
    </>,
  );
}

const Barcode = ({ setup: { qrCode, secret, until } }: { setup: ShownSetup }) => (
  <>
    <p>
      Scan this QR code with your authenticator app, then enter the code that the app shows. You can
      come back to it in this browser until <Time at={until} />.
    </p>
    <img class="barcode" src={qrCode} alt="QR code for your authenticator app" />
    <p>
      Or enter this secret in the app:
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
  </>
);

function CodeForm({ c, id }: { c: PortalContext; id: string }) {
  const faults = c.get("faults");
  return (
    <Form action={`/devices/otp/${id}/verify`}>
      <CodeField hint="6 digits. The code changes every 30 seconds." faults={faults} />
      <Check
        faults={faults}
        name="makeDefault"
        label="Make this my default authentication method"
        hint="You will be logged out and asked for this device's code."
        checked
      />
      <div class="actions">
        <button type="submit">Verify Mobile Passcode</button>
        <a href="/devices">Verify later</a>
      </div>
    </Form>
  );
}
