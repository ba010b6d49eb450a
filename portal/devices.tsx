import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { type DeviceView, getMultiFactor, type MultiFactor } from "../api/devices.ts";
import { emailOf } from "../api/email.ts";
import { getAccount } from "../store/postgres/accounts.ts";
import type { Session } from "../store/redis/sessions.ts";
import type { PortalContext, PortalEnv } from "./form.ts";
import { page, whoOf } from "./layout.tsx";
import { Time } from "./parts.tsx";
import { signedIn } from "./session.ts";
import { graceEnd } from "./set-up.tsx";
import { METHOD_WORDS } from "./words.ts";

/** My Multi-Factor Devices. */
export function devicePages(app: Hono<PortalEnv>, deps: Deps) {
  app.get("/devices", async (c) => devicesPage(c, deps, await signedIn(c, deps, { setup: true })));
}

async function devicesPage(c: PortalContext, deps: Deps, session: Session) {
  const mine = await getMultiFactor(deps, session);
  const who = await whoOf(deps, session);
  const apps = mine.devices.filter(({ type }) => type === "otp");
  const phone = mine.devices.find(({ type }) => type === "sms");
  return page(
    c,
    { title: "My Multi-Factor Devices", who },
    <>
      <h1>My Multi-Factor Devices</h1>
      {mine.enabled && session.scope === "full" && mine.recoveryCodes.remaining === 0 && <Urge />}
      <Status mine={mine} from={await graceEnd(deps, session)} />
      {session.role === "administrator" && session.scope === "full" && (
        <AccountWide
          required={(await getAccount(deps.db, session.accountId))?.requirement === "required"}
        />
      )}
      <Apps apps={apps} most={deps.config.limits.otpDevices} />
      <Phone phone={phone} />
      {mine.enabled && session.scope === "full" && (
        <>
          <Default mine={mine} />
          <RecoveryCodes remaining={mine.recoveryCodes.remaining} />
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
          ? "Each login asks for your password and a passcode."
          : "Your account is protected by your password only. Add a device to turn on multi-factor authentication."}
        {required && " Your account requires it"}
        {from && (
          <>
            {" "}
            from <Time at={from} />
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
      {apps.length === 0 && <p>No authenticator apps yet.</p>}
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
      <p class="quiet">We text a 7-digit passcode to your phone when you log in.</p>
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
          {phone.verified && (
            <li>
              <span class="quiet">
                To remove or change this phone, <a href="/devices/remove-all">remove all devices</a>
                .
              </span>
            </li>
          )}
        </ul>
      ) : (
        <p>No phone yet.</p>
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
      {kinds.size === 1 && <p class="quiet">This is your only method.</p>}
    </section>
  );
}

/** Whoever loses the one device without codes must ask Support: said until there are codes. */
const Urge = () => (
  <section class="card urge" aria-labelledby="urge">
    <h2 id="urge">Save recovery codes now</h2>
    <p>Without them you can't log in if you lose your device. It takes one minute.</p>
    <a class="button" href="/devices/recovery-codes/new">
      Generate Recovery Codes
    </a>
  </section>
);

function AccountWide({ required }: { required: boolean }) {
  return (
    <section class="card">
      <div class="head">
        <h2>Account-wide two-factor authentication</h2>
        <a
          class="button second small"
          href="/account/requirement"
          aria-label="Edit Require multi-factor authentication"
        >
          <span aria-hidden="true">✎</span> Edit
        </a>
      </div>
      <p>Require multi-factor authentication: {required ? "Required for everyone" : "Optional"}</p>
    </section>
  );
}

function RecoveryCodes({ remaining }: { remaining: number }) {
  return (
    <section class="card">
      <div class="head">
        <h2>Recovery codes</h2>
        <span class={remaining > 0 ? "tag" : "tag bad"}>
          {remaining === 0 ? "None left" : `${remaining} left`}
        </span>
      </div>
      <p>
        Use a recovery code when you don't have your device. Each works once. Generating new codes
        cancels the old ones.
      </p>
      {remaining > 0 && (
        <a class="button second" href="/devices/recovery-codes/new">
          Generate Recovery Codes
        </a>
      )}
    </section>
  );
}

const Notices = ({ email }: { email: string | null }) => (
  <section class="card">
    <div class="head">
      <h2>Email notifications</h2>
      <a
        class="button second small"
        href="/devices/email"
        aria-label="Edit the address for notifications"
      >
        Edit
      </a>
    </div>
    <p>{email ?? "No email address. You won't be told when your devices change."}</p>
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
    <p>This turns off multi-factor authentication and cancels your recovery codes.</p>
  </section>
);
