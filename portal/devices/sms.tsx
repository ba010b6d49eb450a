import type { Hono } from "hono";
import { type CountryCode, getCountries, getCountryCallingCode } from "libphonenumber-js/max";
import { clientInfoOf } from "../../api/http/client.ts";
import type { Limits } from "../../config.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { getMultiFactor } from "../../core/devices/devices.ts";
import { requireSetUpRight } from "../../core/devices/set-up-rights.ts";
import { registerSmsDevice } from "../../core/devices/sms.ts";
import { done } from "../layout/flash.ts";
import { field, type PortalContext, type PortalEnv, takeForm } from "../layout/form.ts";
import { cardPage, type Who, whoOf } from "../layout/layout.tsx";
import { described, Field, Form } from "../layout/parts.tsx";
import { recentlyLoggedIn, signedIn } from "../layout/session.ts";
import type { Faults } from "../layout/words.ts";
import { keepSetUp } from "./own-set-up.ts";

const names = new Intl.DisplayNames("en", { type: "region" });

/** Every country with its dialling code, by name. */
const COUNTRIES = getCountries()
  .map((code) => ({ code, name: names.of(code) ?? code, dials: getCountryCallingCode(code) }))
  .sort((a, b) => a.name.localeCompare(b.name, "en"));

const FIRST: CountryCode = "US";

/** The first step of an SMS device's set-up: its number. */
export function smsPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get("/devices/sms/new", async (c) => {
    const session = await recentlyLoggedIn(c, deps, { setup: true });
    await requireSetUpRight(deps, session, "sms");
    const { devices } = await getMultiFactor(deps, session);
    if (devices.some(({ type, verified }) => type === "sms" && verified))
      return done(
        c,
        "/devices",
        "You already have a phone. To change it, remove all devices first.",
      );
    return registerPage(c, await whoOf(deps, session), deps.config.limits.pin);
  });

  takeForm(app, "/devices/sms", { at: "/devices/sms/new" }, async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    const phone = { countryCode: field(c, "countryCode"), phoneNumber: field(c, "phoneNumber") };
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    const { id } = await registerSmsDevice(deps, session, phone, origin);
    await keepSetUp(deps, session, id);
    return c.redirect(`/devices/sms/${id}`, 303);
  });
}

function registerPage(c: PortalContext, who: Who, { digits }: Limits["pin"]) {
  const faults = c.get("faults");
  return cardPage(
    c,
    { title: "Register SMS Device", who, step: "Step 1 of 2" },
    <Form action="/devices/sms">
      <CountryField chosen={faults.typed?.countryCode ?? FIRST} faults={faults} />
      <Field
        name="phoneNumber"
        label="Phone number"
        hint="Leave out the country code. Standard message and data rates may apply."
        faults={faults}
        type="tel"
        autocomplete="tel-national"
        required
      />
      <p>We will text a {digits}-digit PIN to confirm this number is yours.</p>
      <p>
        Anyone who takes over your number or reads your messages can get your passcodes.{" "}
        <a href="/devices/otp/new">An authenticator app</a> is safer.
      </p>
      <div class="actions">
        <button type="submit">Add SMS Device</button>
        <a href="/devices">Cancel</a>
      </div>
    </Form>,
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
