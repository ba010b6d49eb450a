import type { DeviceView } from "../../core/devices/devices.ts";

/** Whether the device has still to be verified; one that is not switched on yet has been. */
export const isUnverified = ({ verified, state }: DeviceView) => !verified && state !== "verified";

/** The list of apps, with a link to add one while there are fewer than `most`. */
export function Apps({ apps, most }: { apps: DeviceView[]; most: number }) {
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
            <div class="actions">
              {isUnverified(device) && (
                <a
                  class="button small"
                  href={`/devices/otp/${device.id}`}
                  aria-label={`Verify ${device.name}`}
                >
                  Verify
                </a>
              )}
              <a
                class="button second small"
                href={`/devices/manage/${device.id}`}
                aria-label={`Manage ${device.name}`}
              >
                Manage
              </a>
            </div>
          </li>
        ))}
      </ul>
      {apps.length === 0 && <p>No authenticator apps yet.</p>}
    </section>
  );
}

/** The phone; a user has at most one. A verified phone is only removed with all devices. */
export function Phone({ phone }: { phone?: DeviceView }) {
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
