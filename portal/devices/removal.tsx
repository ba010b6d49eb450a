import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { nicknameSchema } from "../../api/http/inputs.ts";
import type { CoreDeps } from "../../core/deps.ts";
import {
  type DeviceView,
  getMultiFactor,
  ownDevice,
  viewDevice,
} from "../../core/devices/devices.ts";
import { giveDeviceName } from "../../core/devices/named-devices.ts";
import { removeAllDevices, removeDevice } from "../../core/devices/removal.ts";
import { duration } from "../../core/duration.ts";
import type { Method } from "../../store/methods.ts";
import { getMfaProfile } from "../../store/postgres/profiles.ts";
import { isKeyRequired } from "../../store/requirement.ts";
import { confirmPage } from "../layout/confirm.tsx";
import { done } from "../layout/flash.ts";
import { field, type PortalEnv, requireFit, takeForm } from "../layout/form.ts";
import { page, whoOf } from "../layout/layout.tsx";
import { Field, Form, Time } from "../layout/parts.tsx";
import { recentlyLoggedIn, signedIn } from "../layout/session.ts";
import type { Faults } from "../layout/words.ts";
import { type RequiredOf, requiredOf } from "../login/set-up.tsx";
import { Dates } from "./device-lists.tsx";
import { followed } from "./removal-under-way.tsx";

const MANAGE = "/devices/manage/:id";
const REMOVE = `${MANAGE}/remove`;

/** The page of one device, and the removal of one or all devices. */
export function removalPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  const proxies = deps.config.TRUSTED_PROXIES;

  app.get(MANAGE, async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    const device = await ownDevice(deps, session, c.req.param("id"));
    const view = await viewDevice(deps, device);
    const name = nameOf(view);
    const keptMs = deps.config.limits[KEPT[view.type]];
    return page(
      c,
      { title: `Manage ${name}`, who: await whoOf(deps, session), narrow: true },
      <>
        <h1>{name}</h1>
        <Proof device={view} keptMs={keptMs} />
        <Nickname faults={c.get("faults")} device={view} />
        {view.next.includes("remove") && <Removal device={view} />}
        <p>
          <a href="/devices">Back to My Multi-Factor Devices</a>
        </p>
      </>,
    );
  });

  takeForm(app, `${MANAGE}/name`, { at: MANAGE, about: "name" }, async (c) => {
    const session = await signedIn(c, deps, { setup: true });
    const id = c.req.param("id") ?? "";
    const name = field(c, "name");
    requireFit(["name", nicknameSchema, name]);
    await giveDeviceName(deps, session, id, name, clientInfoOf(c, proxies));
    return done(c, `/devices/manage/${id}`, "The nickname was saved.");
  });

  app.get(REMOVE, async (c) => {
    const session = await recentlyLoggedIn(c, deps, { setup: true });
    const device = await viewDevice(deps, await ownDevice(deps, session, c.req.param("id")));
    const { devices } = await getMultiFactor(deps, session);
    const verified = devices.filter((one) => one.verified);
    const isLast = device.verified && verified.length === 1;
    const keys = verified.filter(({ type }) => type === "webauthn");
    const isLastKey = !isLast && device.type === "webauthn" && device.verified && keys.length === 1;
    const profile = isLastKey && (await getMfaProfile(deps.db, session.userId));
    const isNeeded = profile && isKeyRequired(profile, deps.clock.now());
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
          ? WILL_STOP[device.type]
          : "It was never verified, so this does not change how you log in."}
        {isNeeded &&
          " It is your last key, and your account requires one: you will be logged out and must add another."}
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

const WILL_STOP: Record<Method, string> = {
  webauthn: "You can no longer log in with it. Your other sessions that a key opened will end.",
  otp: "Its passcodes will stop working.",
  sms: "Its passcodes will stop working.",
};

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

/** The settings that say for how long a device that is not verified is kept. */
const KEPT = { webauthn: "keyEnrollmentMs", otp: "enrollmentMs", sms: "enrollmentMs" } as const;

function Proof({ device, keptMs }: { device: DeviceView; keptMs: number }) {
  const { id, type, verified, next } = device;
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
        <Dates device={device} />
        {!verified &&
          ` Verify it before you can log in with it. It is deleted after ${duration(keptMs)} if it is not verified.`}
      </p>
    </section>
  );
}

const nameOf = ({ name, phoneNumber }: DeviceView) => name ?? phoneNumber ?? "";

function Nickname({ faults, device: { id, name } }: { faults: Faults; device: DeviceView }) {
  return (
    <section class="card">
      <h2>Nickname</h2>
      <Form action={`/devices/manage/${id}/name`}>
        <Field
          name="name"
          label="Device nickname"
          faults={faults}
          value={name}
          autocomplete="off"
          required
        />
        <button type="submit" class="second">
          Save Nickname
        </button>
      </Form>
    </section>
  );
}

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
