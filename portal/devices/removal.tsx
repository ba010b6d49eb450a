import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import type { CoreDeps } from "../../core/deps.ts";
import {
  type DeviceView,
  getMultiFactor,
  ownDevice,
  viewDevice,
} from "../../core/devices/devices.ts";
import { removeAllDevices, removeDevice } from "../../core/devices/removal.ts";
import { confirmPage } from "../layout/confirm.tsx";
import { type PortalEnv, takeForm } from "../layout/form.ts";
import { page, whoOf } from "../layout/layout.tsx";
import { Time } from "../layout/parts.tsx";
import { recentlyLoggedIn, signedIn } from "../layout/session.ts";
import { type RequiredOf, requiredOf } from "../login/set-up.tsx";
import { followed } from "./removal-under-way.tsx";

const REMOVE = "/devices/manage/:id/remove";

/** The page of one device, and the removal of one or all devices. */
export function removalPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  const proxies = deps.config.TRUSTED_PROXIES;

  app.get("/devices/manage/:id", async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    const device = await ownDevice(deps, session, c.req.param("id"));
    const view = await viewDevice(deps, device);
    const name = nameOf(view);
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

  app.get(REMOVE, async (c) => {
    const session = await recentlyLoggedIn(c, deps, { setup: true });
    const device = await viewDevice(deps, await ownDevice(deps, session, c.req.param("id")));
    const { devices } = await getMultiFactor(deps, session);
    const verified = devices.filter((one) => one.verified);
    const isLast = device.verified && verified.length === 1;
    const question = {
      title: `Remove ${nameOf(device)}?`,
      action: `/devices/manage/${device.id}/remove`,
      button: "Remove this device",
      cancel: `/devices/manage/${device.id}`,
    };
    return confirmPage(
      c,
      await whoOf(deps, session),
      question,
      <p>
        {device.verified
          ? "Its passcodes will stop working."
          : "It was never verified, so this does not change how you log in."}
        {isLast && (
          <>
            {" "}
            It is your last verified device: this turns off multi-factor authentication and cancels
            your recovery codes.
            <WhatFollows required={await requiredOf(deps, session)} />
          </>
        )}
      </p>,
    );
  });

  takeForm(app, REMOVE, { at: REMOVE }, async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    const removal = removeDevice(deps, session, c.req.param("id") ?? "", clientInfoOf(c, proxies));
    return followed(c, "/devices", removal, () => "The device was removed.");
  });

  app.get("/devices/remove-all", async (c) => {
    const session = await recentlyLoggedIn(c, deps, { setup: true });
    const { devices } = await getMultiFactor(deps, session);
    const required = await requiredOf(deps, session);
    const question = {
      title: "Remove all devices?",
      action: "/devices/remove-all",
      button: "Remove all devices",
      cancel: "/devices",
    };
    return confirmPage(
      c,
      await whoOf(deps, session),
      question,
      <>
        <p>
          This removes all your devices and recovery codes and turns off multi-factor
          authentication.
          <WhatFollows required={required} />
        </p>
        <ul>
          {devices.map((device) => (
            <li>{nameOf(device)}</li>
          ))}
        </ul>
      </>,
    );
  });

  takeForm(app, "/devices/remove-all", { at: "/devices/remove-all" }, async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    const removal = removeAllDevices(deps, session, clientInfoOf(c, proxies));
    const said = "All devices were removed. Multi-factor authentication is off.";
    return followed(c, "/devices", removal, () => said);
  });
}

/** What a user without devices must do if a second factor is required, now or later. */
function WhatFollows({ required: { who, required, from } }: { required: RequiredOf }) {
  if (!required) return null;
  if (!from) return <> {who} requires it, so you will be logged out and must set it up again.</>;
  return (
    <>
      {" "}
      {who} will require it from <Time at={from} /> on, so set it up again by then.
    </>
  );
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
          " Verify it before you can log in with it. Unverified devices are deleted after 7 days."}
      </p>
    </section>
  );
}

const nameOf = ({ name, phoneNumber }: DeviceView) => name ?? phoneNumber ?? "";

function Removal({ device: { id } }: { device: DeviceView }) {
  return (
    <section class="card">
      <div class="head">
        <h2>Remove</h2>
        <a class="button danger small" href={`/devices/manage/${id}/remove`}>
          Remove this device
        </a>
      </div>
      <p>You are asked before it is removed.</p>
    </section>
  );
}
