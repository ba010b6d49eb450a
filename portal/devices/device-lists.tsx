import type { DeviceView } from "../../core/devices/devices.ts";
import { Time } from "../layout/parts.tsx";

/** Whether the device has still to be verified; one that is not switched on yet has been. */
export const isUnverified = ({ verified, state }: DeviceView) => !verified && state !== "verified";

type List = {
  devices: DeviceView[];
  /** How many a user may have. */
  most: number;
  mayAdd: boolean;
  /** Whether the devices may be verified, renamed and removed. */
  mayChange: boolean;
};

/** The list of keys, with a link to add one while there are fewer than `most`. */
export const Keys = (list: List) => (
  <Named
    {...list}
    kind="webauthn"
    title="Security keys and passkeys"
    add="Add a security key or passkey"
    about="A key or passkey does not work on a false page, so it protects you best."
    none="No security keys or passkeys yet."
  />
);

/** The list of apps, with a link to add one while there are fewer than `most`. */
export const Apps = (list: List) => (
  <Named
    {...list}
    kind="otp"
    title="Mobile Passcode (OTP) devices"
    add="Add an OTP device"
    about="An authenticator app shows a new 6-digit passcode every 30 seconds."
    none="No authenticator apps yet."
  />
);

type Words = { kind: "otp" | "webauthn"; title: string; add: string; about: string; none: string };

/** A list of devices that have nicknames. */
function Named({ devices, most, mayAdd, mayChange, kind, title, add, about, none }: List & Words) {
  return (
    <section class="card">
      <div class="head">
        <h2>{title}</h2>
        {mayAdd && devices.length < most && (
          <a class="button small" href={`/devices/${kind}/new`} aria-label={add}>
            Add
          </a>
        )}
      </div>
      <p class="quiet">{about}</p>
      <ul class="rows">
        {devices.map((device) => (
          <Row device={device} label={device.name ?? ""} mayChange={mayChange} />
        ))}
      </ul>
      {devices.length === 0 && <p>{none}</p>}
    </section>
  );
}

/** The phone; a user has at most one. A verified phone is only removed with all devices. */
export function Phone({ phone, mayChange }: { phone?: DeviceView; mayChange: boolean }) {
  return (
    <section class="card">
      <div class="head">
        <h2>SMS device</h2>
        {!phone && mayChange && (
          <a class="button small" href="/devices/sms/new" aria-label="Add an SMS device">
            Add
          </a>
        )}
      </div>
      <p class="quiet">We text a 7-digit passcode to your phone when you log in.</p>
      {phone ? (
        <ul class="rows">
          <Row device={phone} label="the SMS device" mayChange={mayChange} />
          {phone.verified && mayChange && (
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

type Listed = {
  device: DeviceView;
  /** Its name in the names of the links. */
  label: string;
  mayChange: boolean;
};

/** A device, with what can be done with it. */
function Row({ device, label, mayChange }: Listed) {
  const { id, type, name, phoneNumber } = device;
  return (
    <li>
      <div>
        {[name, phoneNumber].filter(Boolean).join(", ")} <Verified device={device} />
        <br />
        <Dates device={device} />
      </div>
      {mayChange && (
        <div class="actions">
          {isUnverified(device) && (
            <a class="button small" href={`/devices/${type}/${id}`} aria-label={`Verify ${label}`}>
              Verify
            </a>
          )}
          <a
            class="button second small"
            href={`/devices/manage/${id}`}
            aria-label={`Manage ${label}`}
          >
            Manage
          </a>
        </div>
      )}
    </li>
  );
}

const Verified = ({ device: { verified } }: { device: DeviceView }) => (
  <span class={verified ? "tag good" : "tag bad"}>{verified ? "Verified" : "Not verified"}</span>
);

/** The device's model, and when it was added and last used. */
export const Dates = ({ device }: { device: DeviceView }) => (
  <span class="quiet">
    {device.product && `${device.product}. `}Added <Time at={device.createdAt} />.{" "}
    {device.lastUsedAt && (
      <>
        Last used <Time at={device.lastUsedAt} />.
      </>
    )}
    {device.verified && !device.lastUsedAt && "Not used yet."}
  </span>
);
