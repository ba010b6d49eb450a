import type { Hono } from "hono";
import { type CountryCode, getCountries, getCountryCallingCode } from "libphonenumber-js/max";
import type { Deps } from "../api/deps.ts";
import { originOf } from "../api/origin.ts";
import { registerSmsDevice } from "../api/sms-devices.ts";
import { field, type PortalContext, type PortalEnv } from "./form.ts";
import { page, type Who, whoOf } from "./layout.tsx";
import { described, Fault, Field, Form } from "./parts.tsx";
import { signedIn } from "./session.ts";
import { type Faults, faultsOf, NO_FAULTS } from "./words.ts";

const names = new Intl.DisplayNames("en", { type: "region" });

/** Every country with its dialling code, by name. */
const COUNTRIES = getCountries()
  .map((code) => ({ code, name: names.of(code) ?? code, dials: getCountryCallingCode(code) }))
  .sort((a, b) => a.name.localeCompare(b.name, "en"));

const FIRST: CountryCode = "US";

/** The first step to an SMS device: its number. */
export function smsPages(app: Hono<PortalEnv>, deps: Deps) {
  app.get("/devices/sms/new", async (c) => {
    const who = await whoOf(deps, await signedIn(c, deps, { setup: true }));
    return registerPage(c, who);
  });

  app.post("/devices/sms", async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    const phone = { countryCode: field(c, "countryCode"), phoneNumber: field(c, "phoneNumber") };
    try {
      const { id } = await registerSmsDevice(
        deps,
        session,
        phone,
        originOf(c, deps.config.TRUSTED_PROXIES),
      );
      return c.redirect(`/devices/sms/${id}`, 303);
    } catch (error) {
      return registerPage(c, await whoOf(deps, session), { ...phone, faults: faultsOf(error) });
    }
  });
}

function registerPage(
  c: PortalContext,
  who: Who,
  { countryCode = FIRST as string, phoneNumber = "", faults = NO_FAULTS } = {},
) {
  return page(
    c,
    { title: "Register SMS Device", who, narrow: true, status: faults.status },
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
          <p>
            Who takes over a phone number or reads its messages gets your passcodes too.{" "}
            <a href="/devices/otp/new">An authenticator app</a> is safer.
          </p>
          <div class="actions">
            <button type="submit">Send the PIN</button>
            <a href="/devices">Cancel</a>
          </div>
        </Form>
      </section>
    </>,
  );
}

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
