import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { type DeviceView, getMultiFactor, type MultiFactor } from "../api/devices.ts";
import { emailOf } from "../api/email.ts";
import type { Session } from "../store/redis/sessions.ts";
import type { PortalContext, PortalEnv } from "./form.ts";
import { page, whoOf } from "./layout.tsx";
import { Fault, Field, Form, Notice, Time } from "./parts.tsx";
import { signedIn } from "./session.ts";
import { graceEnd } from "./set-up.tsx";
import { type Faults, METHOD_WORDS, NO_FAULTS } from "./words.ts";

/** What was just done, by the name that the address carries. */
const DONE: Record<string, (mine: MultiFactor) => string> = {
  default_changed: () => "Your default authentication method was changed.",
  verified: () => "The device is verified. It can be used from the next login on.",
  email_changed: () => "Your address for notices was changed.",
  removed: () => "The device was removed.",
  all_removed: () => "All devices were removed. Multi-factor authentication is off.",
  recovery_code_used: ({ recoveryCodes: { remaining } }) =>
    remaining === 0
      ? "You used your last recovery code. Generate new ones now."
      : `You used a recovery code. ${remaining} of them ${remaining === 1 ? "is" : "are"} left.`,
};

/** My Multi-Factor Devices. */
export function devicePages(app: Hono<PortalEnv>, deps: Deps) {
  app.get("/devices", async (c) =>
    devicesPage(c, deps, await signedIn(c, deps, { setup: true }), NO_FAULTS),
  );
}

/** The page, with what was wrong in one of its forms. */
export async function devicesPage(c: PortalContext, deps: Deps, session: Session, faults: Faults) {
  const mine = await getMultiFactor(deps, session);
  const who = await whoOf(deps, session);
  const done = DONE[c.req.query("done") ?? ""];
  const apps = mine.devices.filter(({ type }) => type === "otp");
  const phone = mine.devices.find(({ type }) => type === "sms");
  return page(
    c,
    { title: "My Multi-Factor Devices", who, status: faults.status },
    <>
      <h1>My Multi-Factor Devices</h1>
      {done && <Notice kind="good">{done(mine)}</Notice>}
      <Fault faults={faults} />
      <Status mine={mine} from={await graceEnd(deps, session)} />
      <Apps apps={apps} most={deps.config.limits.otpDevices} />
      <Phone phone={phone} />
      {mine.enabled && session.scope === "full" && (
        <>
          <Default mine={mine} />
          <RecoveryCodes remaining={mine.recoveryCodes.remaining} faults={faults} />
        </>
      )}
      {session.scope === "full" && <Notices email={await emailOf(deps, session.userId)} />}
      {mine.devices.length > 0 && <RemoveAll />}
    </>,
  );
}

function Status({ mine: { enabled, required }, from }: { mine: MultiFactor; from?: string }) {
  return (
    <section class="card">
      <div class="head">
        <h2>Multi-factor authentication</h2>
        <span class={enabled ? "tag good" : "tag bad"}>{enabled ? "Enabled" : "Not enabled"}</span>
      </div>
      <p>
        {enabled
          ? "Each login asks for your password and for a passcode."
          : "A password alone opens your account. Add and verify a device to ask for a passcode too."}
        {required && " Your account requires it of everyone"}
        {from && (
          <>
            {" "}
            from <Time at={from} /> on
          </>
        )}
        {required && "."}
      </p>
    </section>
  );
}

function Apps({ apps, most }: { apps: DeviceView[]; most: number }) {
  return (
    <section class="card">
      <div class="head">
        <h2>Mobile Passcode (OTP) devices</h2>
        {apps.length < most && (
          <a class="button small" href="/devices/otp/new" aria-label="Add an OTP device">
            Add
          </a>
        )}
      </div>
      <p class="quiet">An authenticator app shows a new 6-digit passcode every 30 seconds.</p>
      <ul class="rows">
        {apps.map((device) => (
          <li>
            <div>
              {device.name} <Verified device={device} />
            </div>
            <a
              class="button second small"
              href={`/devices/manage/${device.id}`}
              aria-label={`Manage ${device.name}`}
            >
              Manage
            </a>
          </li>
        ))}
      </ul>
      {apps.length === 0 && <p>You have none.</p>}
    </section>
  );
}

function Phone({ phone }: { phone?: DeviceView }) {
  return (
    <section class="card">
      <div class="head">
        <h2>SMS device</h2>
        {!phone && (
          <a class="button small" href="/devices/sms/new" aria-label="Add an SMS device">
            Add
          </a>
        )}
      </div>
      <p class="quiet">A phone gets a 7-digit passcode by text message at each login.</p>
      {phone ? (
        <ul class="rows">
          <li>
            <div>
              {phone.phoneNumber} <Verified device={phone} />
            </div>
            {!phone.verified && (
              <div class="actions">
                <a
                  class="button small"
                  href={`/devices/sms/${phone.id}`}
                  aria-label="Verify the SMS device"
                >
                  Verify
                </a>
                <a
                  class="button second small"
                  href={`/devices/manage/${phone.id}`}
                  aria-label="Manage the SMS device"
                >
                  Manage
                </a>
              </div>
            )}
          </li>
        </ul>
      ) : (
        <p>You have none.</p>
      )}
    </section>
  );
}

const Verified = ({ device: { verified } }: { device: DeviceView }) => (
  <span class={verified ? "tag good" : "tag bad"}>{verified ? "Verified" : "Not verified"}</span>
);

function Default({ mine: { defaultMethod, devices } }: { mine: MultiFactor }) {
  const kinds = new Set(devices.filter(({ verified }) => verified).map(({ type }) => type));
  return (
    <section class="card">
      <div class="head">
        <h2>Default authentication method</h2>
        {kinds.size > 1 && (
          <a
            class="button second small"
            href="/devices/default"
            aria-label="Edit the default authentication method"
          >
            Edit
          </a>
        )}
      </div>
      <p>{defaultMethod && METHOD_WORDS[defaultMethod]}</p>
      {kinds.size === 1 && <p class="quiet">It is the only one that you have set up.</p>}
    </section>
  );
}

function RecoveryCodes({ remaining, faults }: { remaining: number; faults: Faults }) {
  return (
    <section class="card">
      <div class="head">
        <h2>Recovery codes</h2>
        <span class={remaining > 0 ? "tag" : "tag bad"}>
          {remaining === 0 ? "None left" : `${remaining} left`}
        </span>
      </div>
      <p>
        A recovery code logs you in once when your devices are not at hand. New codes replace the
        ones that you have.
      </p>
      <Form action="/devices/recovery-codes">
        <Field
          name="quantity"
          label="Quantity"
          faults={faults}
          class="number"
          type="number"
          min="1"
          max="10"
          value="10"
          required
        />
        <button type="submit">Generate Recovery Codes</button>
      </Form>
    </section>
  );
}

const Notices = ({ email }: { email: string | null }) => (
  <section class="card">
    <div class="head">
      <h2>Notices by e-mail</h2>
      <a
        class="button second small"
        href="/devices/email"
        aria-label="Edit the address for notices"
      >
        Edit
      </a>
    </div>
    <p>{email ?? "You have no address: you are not told when your devices change."}</p>
  </section>
);

const RemoveAll = () => (
  <section class="card">
    <div class="head">
      <h2>Remove all devices</h2>
      <a class="button danger small" href="/devices/remove-all">
        Remove all devices
      </a>
    </div>
    <p>Turns multi-factor authentication off and makes your recovery codes void.</p>
  </section>
);
