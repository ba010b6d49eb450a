import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { type DeviceView, unverifiedDevice, viewDevice } from "../api/devices.ts";
import { originOf } from "../api/origin.ts";
import { Problem } from "../api/problem.ts";
import { resendPin, verifyPin } from "../api/sms-devices.ts";
import { undelivered } from "./delivery.ts";
import { field, type PortalContext, type PortalEnv, takeForm, ticked } from "./form.ts";
import { page, type Who, whoOf } from "./layout.tsx";
import { Check, CodeField, Form, Notice } from "./parts.tsx";
import { signedIn } from "./session.ts";

/** The second step to an SMS device: its PIN. */
export function pinPages(app: Hono<PortalEnv>, deps: Deps) {
  app.get("/devices/sms/:id", async (c) => {
    const { who, device } = await unverifiedPhone(c, deps);
    return verifyPage(c, who, await viewDevice(deps, device));
  });

  takeForm(app, "/devices/sms/:id/pin", { at: "/devices/sms/:id" }, async (c) => {
    const { device } = await unverifiedPhone(c, deps);
    await resendPin(deps, device);
    return c.redirect(`/devices/sms/${device.id}`, 303);
  });

  takeForm(app, "/devices/sms/:id/verify", { at: "/devices/sms/:id", about: "code" }, async (c) => {
    const { device } = await unverifiedPhone(c, deps);
    const proof = { code: field(c, "code"), makeDefault: ticked(c, "makeDefault") };
    await verifyPin(deps, device, proof, originOf(c, deps.config.TRUSTED_PROXIES));
    // The session has ended with that; the login page says so.
    return c.redirect("/devices", 303);
  });
}

async function unverifiedPhone(c: PortalContext, deps: Deps) {
  const session = await signedIn(c, deps, { setup: true });
  const device = await unverifiedDevice(deps, session, c.req.param("id") ?? "");
  if (device.type !== "sms")
    throw new Problem("device_not_found", "You have no phone with this ID.");
  return { who: await whoOf(deps, session), device };
}

function verifyPage(c: PortalContext, who: Who, device: DeviceView) {
  const faults = c.get("faults");
  const action = `/devices/sms/${device.id}`;
  return page(
    c,
    { title: "Verify PIN", who, narrow: true },
    <>
      <section class="card">
        <p class="step">Step 2 of 2</p>
        <h1>Verify PIN</h1>
        <Delivery device={device} />
        {device.next.includes("verify") && (
          <Form action={`${action}/verify`}>
            <CodeField label="PIN" hint="The 4 digits of the newest message." faults={faults} />
            <Check
              faults={faults}
              name="makeDefault"
              label="Make this my default authentication method"
              hint="Logins begin with a passcode to this phone."
              checked
            />
            <p class="quiet">
              When the PIN is right you are logged out, and log in with the phone.
            </p>
            <div class="actions">
              <button type="submit">Verify</button>
              <a href="/devices">Verify later</a>
            </div>
          </Form>
        )}
      </section>
      <div id="offers">{device.next.includes("pin") && <NewPin device={device} />}</div>
    </>,
  );
}

function NewPin({ device: { id } }: { device: DeviceView }) {
  return (
    <section class="card">
      <h2>No message?</h2>
      <p>
        Wait half a minute, then ask for a new PIN; the one before it no longer works then. If the
        number is wrong, <a href={`/devices/manage/${id}`}>remove it</a> and start again.
      </p>
      <Form action={`/devices/sms/${id}/pin`}>
        <button type="submit" class="second">
          Send a new PIN
        </button>
      </Form>
    </section>
  );
}

/** What helps where a PIN does not arrive. */
const HELP = {
  again: "Check the number and send a new PIN.",
  instead: "Remove this number, or add an authenticator app.",
};

/** How the PIN's delivery stands, and whether it can still be used. */
function Delivery({
  device: { state, delivery, problem, phoneNumber: to },
}: {
  device: DeviceView;
}) {
  switch (state) {
    case "pin_expired":
      return <Notice kind="bad">The PIN has expired. Send a new one.</Notice>;
    case "pin_void":
      return <Notice kind="bad">Too many wrong PINs: the last one is void. Send a new one.</Notice>;
    case "delivery_failed":
      return (
        <Notice id="delivery" kind="bad">
          {undelivered({ problem, to }, HELP)}
        </Notice>
      );
    default:
      if (state === "sending_pin" && !delivery)
        return (
          <p id="delivery" role="status" data-follow="1.5">
            A PIN is being sent to {to}.
          </p>
        );
      return (
        <p id="delivery" role="status" {...(delivery === "sent" && { "data-follow": "5" })}>
          A PIN was {delivery ?? "sent"} to {to}. It works for ten minutes.
        </p>
      );
  }
}
