import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { type DeviceView, ownDevice, viewDevice } from "../api/devices.ts";
import { originOf } from "../api/origin.ts";
import { removeAllDevices, removeDevice } from "../api/removal.ts";
import type { PortalEnv } from "./form.ts";
import { page, whoOf } from "./layout.tsx";
import { Form, Time } from "./parts.tsx";
import { signedIn } from "./session.ts";

/** One device to be managed, and the removal of one or all. */
export function removalPages(app: Hono<PortalEnv>, deps: Deps) {
  const proxies = deps.config.TRUSTED_PROXIES;

  app.get("/devices/manage/:id", async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    const device = await ownDevice(deps, session, c.req.param("id"));
    const view = await viewDevice(deps, device);
    const name = view.name ?? view.phoneNumber ?? "";
    return page(
      c,
      { title: `Manage ${name}`, who: await whoOf(deps, session), narrow: true },
      <>
        <h1>{name}</h1>
        <Proof device={view} />
        {view.next.includes("remove") && <Removal device={view} />}
        <p>
          <a href="/devices">Back to My Multi-Factor Devices</a>
        </p>
      </>,
    );
  });

  app.post("/devices/manage/:id/remove", async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    await removeDevice(deps, session, c.req.param("id"), originOf(c, proxies));
    return c.redirect("/devices?done=removed", 303);
  });

  app.get("/devices/remove-all", async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    return page(
      c,
      { title: "Remove all devices", who: await whoOf(deps, session), narrow: true },
      <section class="card">
        <h1>Remove all devices?</h1>
        <p>
          Every OTP device and your SMS device are removed, your recovery codes are void, and
          multi-factor authentication is off. If your account requires it, you are logged out and
          set it up anew at the next login.
        </p>
        <Form action="/devices/remove-all">
          <div class="actions">
            <button type="submit" class="danger">
              Remove all devices
            </button>
            <a href="/devices">Keep them</a>
          </div>
        </Form>
      </section>,
    );
  });

  app.post("/devices/remove-all", async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    await removeAllDevices(deps, session, originOf(c, proxies));
    return c.redirect("/devices?done=all_removed", 303);
  });
}

function Proof({ device: { id, type, verified, createdAt, next } }: { device: DeviceView }) {
  return (
    <section class="card">
      <div class="head">
        <h2>{verified ? "Verified" : "Not verified"}</h2>
        {(next.includes("verify") || next.includes("pin")) && (
          <a class="button small" href={`/devices/${type}/${id}`}>
            Verify
          </a>
        )}
      </div>
      <p>
        Added <Time at={createdAt} />.
        {!verified &&
          " It cannot be used to log in before it is verified, and is dropped after seven days."}
      </p>
    </section>
  );
}

function Removal({ device: { id, verified } }: { device: DeviceView }) {
  return (
    <section class="card">
      <h2>Delete</h2>
      <p>
        {verified
          ? "Its passcodes no longer work then. If it is your last verified device, multi-factor authentication is off and your recovery codes are void."
          : "It was never verified, so your logins stay as they are."}
      </p>
      <Form action={`/devices/manage/${id}/remove`}>
        <button type="submit" class="danger">
          Delete this device
        </button>
      </Form>
    </section>
  );
}
