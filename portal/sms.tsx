import type { Hono } from "hono";
import { type CountryCode, getCountries, getCountryCallingCode } from "libphonenumber-js/max";
import type { Deps } from "../api/deps.ts";
import { type DeviceView, unverifiedDevice, viewDevice } from "../api/devices.ts";
import { originOf } from "../api/origin.ts";
import { Problem } from "../api/problem.ts";
import { registerSmsDevice, resendPin, verifyPin } from "../api/sms-devices.ts";
import { field, type PortalContext, type PortalEnv, ticked } from "./form.ts";
import { page, type Who, whoOf } from "./layout.tsx";
import { Check, CodeField, described, Fault, Field, Form, Notice } from "./parts.tsx";
import { signedIn } from "./session.ts";
import { type Faults, faultsOf, NO_FAULTS } from "./words.ts";

const names = new Intl.DisplayNames("en", { type: "region" });

/** Every country with its dialling code, by name. */
const COUNTRIES = getCountries()
  .map((code) => ({ code, name: names.of(code) ?? code, dials: getCountryCallingCode(code) }))
  .sort((a, b) => a.name.localeCompare(b.name, "en"));

const FIRST: CountryCode = "US";

/** The two steps to an SMS device. */
export function smsPages(app: Hono<PortalEnv>, deps: Deps) {
  const origin = (c: PortalContext) => originOf(c, deps.config.TRUSTED_PROXIES);

  app.get("/devices/sms/new", async (c) => {
    const who = await whoOf(deps, await signedIn(c, deps, { setup: true }));
    return registerPage(c, who);
  });

  app.post("/devices/sms", async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    const phone = { countryCode: field(c, "countryCode"), phoneNumber: field(c, "phoneNumber") };
    try {
      const { id } = await registerSmsDevice(deps, session, phone, origin(c));
      return c.redirect(`/devices/sms/${id}`, 303);
    } catch (error) {
      return registerPage(c, await whoOf(deps, session), { ...phone, faults: faultsOf(error) });
    }
  });

  app.get("/devices/sms/:id", async (c) => {
    const { who, device } = await unverifiedPhone(c, deps);
    return verifyPage(c, who, await viewDevice(deps, device));
  });

  app.post("/devices/sms/:id/pin", async (c) => {
    const { who, device } = await unverifiedPhone(c, deps);
    try {
      await resendPin(deps, device);
      return c.redirect(`/devices/sms/${device.id}`, 303);
    } catch (error) {
      return verifyPage(c, who, await viewDevice(deps, device), faultsOf(error));
    }
  });

  app.post("/devices/sms/:id/verify", async (c) => {
    const { who, device } = await unverifiedPhone(c, deps);
    const proof = { code: field(c, "code"), makeDefault: ticked(c, "makeDefault") };
    try {
      await verifyPin(deps, device, proof, origin(c));
      // The session has ended with that; the login page says so.
      return c.redirect("/devices", 303);
    } catch (error) {
      return verifyPage(c, who, await viewDevice(deps, device), faultsOf(error, "code"));
    }
  });
}

async function unverifiedPhone(c: PortalContext, deps: Deps) {
  const session = await signedIn(c, deps, { setup: true });
  const device = await unverifiedDevice(deps, session, c.req.param("id") ?? "");
  if (device.type !== "sms") throw new Problem("device_not_found", "There is no such phone.");
  return { who: await whoOf(deps, session), device };
}

function registerPage(
  c: PortalContext,
  who: Who,
  { countryCode = FIRST as string, phoneNumber = "", faults = NO_FAULTS } = {},
) {
  return page(
    c,
    { title: "Register SMS Device", who, narrow: true, status: statusOf(faults) },
    <>
      <Fault faults={faults} />
      <section class="card">
        <p class="step">Step 1 of 2</p>
        <h1>Register SMS Device</h1>
        <Form action="/devices/sms">
          <CountryField chosen={countryCode} faults={faults} />
          <Field
            name="phoneNumber"
            label="Phone number"
            hint="Without the country's dialling code. Standard message and data rates may apply."
            faults={faults}
            value={phoneNumber}
            type="tel"
            autocomplete="tel-national"
            required
          />
          <p>We send a 4-digit PIN to this number, to see that it is yours.</p>
          <div class="actions">
            <button type="submit">Send the PIN</button>
            <a href="/devices">Cancel</a>
          </div>
        </Form>
      </section>
    </>,
  );
}

const statusOf = (faults: Faults) => (faults === NO_FAULTS ? 200 : 422);

function CountryField({ chosen, faults }: { chosen: string; faults: Faults }) {
  const error = faults.fields.countryCode;
  return (
    <div class="field">
      <label for="countryCode">Country</label>
      {error && (
        <p class="error" id="countryCode-error" role="alert">
          {error}
        </p>
      )}
      <select
        id="countryCode"
        name="countryCode"
        autocomplete="country"
        {...described("countryCode", undefined, error)}
      >
        {COUNTRIES.map(({ code, name, dials }) => (
          <option value={code} selected={code === chosen}>
            {name} (+{dials})
          </option>
        ))}
      </select>
    </div>
  );
}

function verifyPage(c: PortalContext, who: Who, device: DeviceView, faults = NO_FAULTS) {
  const action = `/devices/sms/${device.id}`;
  return page(
    c,
    { title: "Verify PIN", who, narrow: true, status: statusOf(faults) },
    <>
      <Fault faults={faults} />
      <section class="card">
        <p class="step">Step 2 of 2</p>
        <h1>Verify PIN</h1>
        <Delivery device={device} />
        {device.next.includes("verify") && (
          <Form action={`${action}/verify`}>
            <CodeField label="PIN" hint="The 4 digits of the newest message." faults={faults} />
            <Check
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
      {device.next.includes("pin") && (
        <section class="card">
          <h2>No message?</h2>
          <p>
            Wait half a minute, then ask for a new PIN; the one before it no longer works then. If
            the number is wrong, <a href={`/devices/manage/${device.id}`}>remove it</a> and start
            again.
          </p>
          <Form action={`${action}/pin`}>
            <button type="submit" class="second">
              Send a new PIN
            </button>
          </Form>
        </section>
      )}
    </>,
  );
}

/** How the PIN's delivery stands, and whether it can still be used. */
function Delivery({ device: { state, phoneNumber } }: { device: DeviceView }) {
  switch (state) {
    case "pin_expired":
      return <Notice kind="bad">The PIN has expired. Send a new one.</Notice>;
    case "pin_void":
      return <Notice kind="bad">Too many wrong PINs: the last one is void. Send a new one.</Notice>;
    case "delivery_failed":
      return (
        <Notice kind="bad">
          The message to {phoneNumber} could not be delivered. Check the number and send a new PIN.
        </Notice>
      );
    case "sending_pin":
      return (
        <p id="delivery" role="status" data-follow>
          A PIN is being sent to {phoneNumber}.
        </p>
      );
    default:
      return (
        <p id="delivery" role="status">
          A PIN was sent to {phoneNumber}. It works for ten minutes.
        </p>
      );
  }
}
