import type { Hono } from "hono";
import { parsePhoneNumberFromString } from "libphonenumber-js/max";
import { clientInfoOf } from "../../api/http/client.ts";
import type { Limits } from "../../config.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { type DeviceView, viewDevice } from "../../core/devices/devices.ts";
import { resendPin, verifyPin } from "../../core/devices/sms.ts";
import { duration } from "../../core/duration.ts";
import { pinSendWait } from "../../core/limits/send-limits.ts";
import { pinExpiresAt } from "../../store/redis/second-step/pins.ts";
import { undelivered } from "../layout/delivery-help.ts";
import { done } from "../layout/flash.ts";
import { field, type PortalContext, type PortalEnv, takeForm, ticked } from "../layout/form.ts";
import { cardPage, type Who } from "../layout/layout.tsx";
import { Check, CodeField, Form, Notice, Reload, Time } from "../layout/parts.tsx";
import { isOwnSetUp } from "./own-set-up.ts";
import { unverifiedOf } from "./set-up-steps.tsx";

/** The second step of an SMS device's set-up: its PIN. */
export function pinPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get("/devices/sms/:id", async (c) => {
    const { who, device } = await unverifiedPhone(c, deps);
    const view = await viewDevice(deps, device);
    // Users who have just typed the number see it unmasked, so that they can check it.
    const own = await isOwnSetUp(deps, who.session, device.id);
    const shown = own ? { ...view, phoneNumber: readable(device.phoneNumber ?? "") } : view;
    const waitMs = await pinSendWait(deps, device.userId);
    const ref = { userId: device.userId, deviceId: device.id };
    const expiresAt = await pinExpiresAt(deps.redis, ref);
    return verifyPage(c, who, shown, { waitMs, rules: deps.config.limits.pin, expiresAt });
  });

  takeForm(app, "/devices/sms/:id/pin", { at: "/devices/sms/:id" }, async (c) => {
    const { device } = await unverifiedPhone(c, deps);
    await resendPin(deps, device, clientInfoOf(c, deps.config.TRUSTED_PROXIES));
    return done(c, `/devices/sms/${device.id}`, "We are sending a new PIN. Enter the newest one.");
  });

  takeForm(app, "/devices/sms/:id/verify", { at: "/devices/sms/:id", about: "code" }, async (c) => {
    const { device } = await unverifiedPhone(c, deps);
    const proof = { code: field(c, "code"), makeDefault: ticked(c, "makeDefault") };
    await verifyPin(deps, device, proof, clientInfoOf(c, deps.config.TRUSTED_PROXIES));
    // This ended the session; the login page says so.
    return c.redirect("/devices", 303);
  });
}

const unverifiedPhone = (c: PortalContext, deps: CoreDeps) =>
  unverifiedOf(c, deps, "sms", "You have no phone with this ID.");

/** In ms: how long until another PIN, and until when the newest one is accepted; and the rules. */
type Waiting = { waitMs: number; rules: Limits["pin"]; expiresAt?: number };

function verifyPage(c: PortalContext, who: Who, device: DeviceView, waiting: Waiting) {
  const faults = c.get("faults");
  const action = `/devices/sms/${device.id}`;
  return cardPage(
    c,
    {
      title: "Verify PIN",
      who,
      step: "Step 2 of 2",
      after: (
        <div id="offers">
          {device.next.includes("pin") && <NewPin device={device} waiting={waiting} />}
        </div>
      ),
    },
    <>
      <Delivery device={device} waiting={waiting} />
      <p>
        Wrong number? <a href={`/devices/manage/${device.id}/remove`}>Remove it</a>, then add the
        right one.
      </p>
      {device.next.includes("verify") && (
        <Form action={`${action}/verify`}>
          <CodeField
            label="PIN"
            hint={`The ${waiting.rules.digits} digits of the newest message.`}
            faults={faults}
          />
          <Check
            faults={faults}
            name="makeDefault"
            label="Make this my default authentication method"
            hint="Text this phone a passcode first."
            checked
          />
          <p class="quiet">
            After verifying, you will be logged out and asked to log in with this phone.
          </p>
          <div class="actions">
            <button type="submit">Verify SMS Device</button>
            <a href="/devices">Verify later</a>
          </div>
        </Form>
      )}
    </>,
  );
}

function NewPin({
  device: { id },
  waiting: { waitMs, rules },
}: {
  device: DeviceView;
  waiting: Waiting;
}) {
  const seconds =
    waitMs > 0 && waitMs <= rules.intervalMs ? String(Math.ceil(waitMs / 1000)) : undefined;
  return (
    <section class="card">
      <h2>No message?</h2>
      <Form action={`/devices/sms/${id}/pin`}>
        <button type="submit" class="second" {...(seconds && { "data-wait": seconds })}>
          Send a new PIN
        </button>
        <p class="quiet">
          {waitMs > 0 && (
            <span {...(seconds && { "data-wait-note": true })}>
              You can request another PIN in {duration(waitMs)}.{" "}
            </span>
          )}
          Sending a new PIN cancels the old one.
        </p>
      </Form>
    </section>
  );
}

/** A number in parts that are easy to compare: "+1 415 555 0132". */
const readable = (e164: string) => parsePhoneNumberFromString(e164)?.formatInternational() ?? e164;

/** What to do if a PIN does not arrive. */
const HELP = {
  again: "Check the number and send a new PIN.",
  instead: "Change the number, or add an authenticator app.",
};

/** The state of the PIN's delivery, and whether the PIN can still be used. */
function Delivery({
  device: { state, delivery, problem, phoneNumber: to },
  waiting: { waitMs, expiresAt },
}: {
  device: DeviceView;
  waiting: Waiting;
}) {
  switch (state) {
    case "pin_expired":
      return <Notice kind="bad">The PIN has expired. Send a new PIN.</Notice>;
    case "pin_void":
      return <Notice kind="bad">Too many wrong PINs. Send a new PIN.</Notice>;
    case "delivery_failed":
      return (
        <Notice id="delivery" kind="bad">
          {undelivered({ problem, to, waitMs }, HELP)}
        </Notice>
      );
    default:
      if (state === "sending_pin" && !delivery)
        return (
          <p id="delivery" role="status" data-follow="1.5">
            We are sending a PIN to {to}.<Reload />
          </p>
        );
      return (
        <p id="delivery" role="status" {...(delivery === "sent" && { "data-follow": "5" })}>
          {delivery === "delivered" ? "A PIN was delivered to" : "We sent a PIN to"} {to}.
          {expiresAt && (
            <>
              {" "}
              Enter it before <Time at={new Date(expiresAt).toISOString()} />.
            </>
          )}
        </p>
      );
  }
}
