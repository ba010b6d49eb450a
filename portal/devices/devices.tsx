import type { Hono } from "hono";
import type { SupportContact } from "../../config.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { acceptedCredentials } from "../../core/devices/accepted-credentials.ts";
import { getMultiFactor, type MultiFactor } from "../../core/devices/devices.ts";
import { emailOf } from "../../core/users/email.ts";
import type { Method } from "../../store/methods.ts";
import { getAccount } from "../../store/postgres/accounts.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { type Required, requiredFrom } from "../../store/requirement.ts";
import type { PortalContext, PortalEnv } from "../layout/form.ts";
import { page, whoOf } from "../layout/layout.tsx";
import { ContactSupport, Time } from "../layout/parts.tsx";
import { signedIn } from "../layout/session.ts";
import { METHOD_WORDS, REQUIREMENT_WORDS } from "../layout/words.ts";
import { KeyLater, type RequiredOf, requiredOf } from "../login/set-up.tsx";
import { Apps, isUnverified, Keys, Phone } from "./device-lists.tsx";

/** My Multi-Factor Devices. */
export function devicePages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get("/devices", async (c) => devicesPage(c, deps, await signedIn(c, deps, { setup: true })));
}

async function devicesPage(c: PortalContext, deps: CoreDeps, session: Session) {
  const mine = await getMultiFactor(deps, session);
  const who = await whoOf(deps, session);
  const of = (kind: Method) => mine.devices.filter(({ type }) => type === kind);
  const by = await requiredOf(deps, session);
  const accepted = await acceptedCredentials(deps, session);
  const { keys: mostKeys, otpDevices: mostApps } = deps.config.limits;
  const full = session.scope === "full";
  // A set-up that is to add a key is refused everything else.
  const mayChange = full || !by.keyRequired;
  const takesRecoveryCodes = !(by.keyRequired && by.hasKey);
  const asksForKey = by.keyRequired || by.keyRequiredFrom !== undefined;
  const keys = of("webauthn").filter(({ verified }) => verified);
  return page(
    c,
    { title: "My Multi-Factor Devices", who },
    <>
      <h1>My Multi-Factor Devices</h1>
      {full && asksForKey && keys.length < 2 && accepted && (
        <AddKey has={keys.length > 0} contact={c.get("support")} />
      )}
      {full && mine.enabled && !asksForKey && mine.recoveryCodes.remaining === 0 && <Urge />}
      <Status mine={mine} by={by} mayChange={mayChange} />
      {session.role === "administrator" && full && (
        <AccountWide
          account={await getAccount(deps.db, session.accountId)}
          now={deps.clock.now()}
        />
      )}
      {(accepted || of("webauthn").length > 0) && (
        <Keys devices={of("webauthn")} most={mostKeys} mayAdd={accepted !== undefined} mayChange />
      )}
      <Apps devices={of("otp")} most={mostApps} mayAdd={mayChange} mayChange={mayChange} />
      <Phone phone={of("sms")[0]} mayChange={mayChange} />
      {accepted && <span hidden data-accepted={JSON.stringify(accepted)} />}
      {mine.enabled && full && (
        <>
          <Default mine={mine} />
          {takesRecoveryCodes && <RecoveryCodes remaining={mine.recoveryCodes.remaining} />}
        </>
      )}
      {full && <Notices email={await emailOf(deps, session.userId)} />}
      {mine.devices.length > 0 && mayChange && <RemoveAll enabled={mine.enabled} />}
    </>,
  );
}

type State = { mine: MultiFactor; by: RequiredOf; mayChange: boolean };

function Status({ mine: { enabled, devices }, by, mayChange }: State) {
  const { who, required, from, keyRequired, keyRequiredFrom } = by;
  const step = devices.some(isUnverified) ? "Verify your device" : "Add a device";
  return (
    <section class="card">
      <div class="head">
        <h2>Multi-factor authentication</h2>
        <span class={enabled ? "tag good" : "tag bad"}>{enabled ? "Enabled" : "Not enabled"}</span>
      </div>
      <p>
        {enabled
          ? "Your password alone is not enough to log in."
          : `Your login is protected by your password only. ${step} to turn on multi-factor authentication.`}
        {keyRequired && " Your account requires a security key or passkey."}
        {required && !keyRequired && !keyRequiredFrom && (
          <>
            {` ${who} requires a second factor`}
            {from && (
              <>
                {" "}
                from <Time at={from} /> on
              </>
            )}
            .
          </>
        )}
      </p>
      <KeyLater by={by} />
      {!mayChange && <p>Add one first: until then, other devices cannot be changed.</p>}
    </section>
  );
}

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

/**
 * Shown until there are recovery codes: without them, a user who loses the only device must ask
 * Support.
 */
const Urge = () => (
  <section class="card urge" aria-labelledby="urge">
    <h2 id="urge">Save recovery codes now</h2>
    <p>Without them you can't log in if you lose your device. It takes one minute.</p>
    <a class="button" href="/devices/recovery-codes/new">
      Generate Recovery Codes
    </a>
  </section>
);

/** In place of `Urge` where a key is or will be required: no recovery code stands in for it. */
const AddKey = ({ has, contact }: { has: boolean; contact?: SupportContact }) => (
  <section class="card urge" aria-labelledby="add-key">
    <h2 id="add-key">Add a {has ? "second key" : "security key or passkey"} now</h2>
    <p>
      {has
        ? "Recovery codes do not stand in for a key where one is required. If you lose your only one and want your devices reset, "
        : "Recovery codes and passcodes do not stand in for a key where one is required. If you need help, "}
      <ContactSupport contact={contact} />.
    </p>
    <a class="button" href="/devices/webauthn/new">
      Add a Security Key or Passkey
    </a>
  </section>
);

function AccountWide({ account, now }: { account?: Required; now: number }) {
  const from = account && requiredFrom(account, now);
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
      <p>
        Require multi-factor authentication: {REQUIREMENT_WORDS[account?.requirement ?? "optional"]}
        {from && (
          <>
            {" "}
            from <Time at={from} />
          </>
        )}
      </p>
    </section>
  );
}

function RecoveryCodes({ remaining }: { remaining: number }) {
  return (
    <section class="card">
      <div class="head">
        <h2>Recovery codes</h2>
        <span class={remaining > 0 ? "tag" : "tag bad"}>
          {remaining === 0 ? "No codes" : `${remaining} left`}
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

const RemoveAll = ({ enabled }: { enabled: boolean }) => (
  <section class="card">
    <div class="head">
      <h2>Remove all devices</h2>
      <a class="button danger small" href="/devices/remove-all">
        Remove all devices
      </a>
    </div>
    <p>
      {enabled
        ? "This turns off multi-factor authentication and cancels your recovery codes."
        : "You can then start again with another device."}
    </p>
  </section>
);
