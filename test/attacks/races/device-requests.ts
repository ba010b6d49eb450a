import { codeAt } from "../../support/apps.ts";
import { keyCalls } from "../../support/keys.ts";
import { ME, multiFactor, type Request, settings, v1, v2, whole } from "./request.ts";

const verifyOther =
  (makeDefault: boolean): Request["send"] =>
  (api, { token, other }, { clock }) =>
    api.call("POST", `${ME}/devices/${other.id}/verify`, {
      token,
      body: { code: codeAt(other.secret, clock.now()), makeDefault },
    });

const verifyOtherAtV2: Request["send"] = (api, world, { clock }) =>
  api.call("POST", `${multiFactor(world)}/otp-devices/${world.other.id}/verify`, {
    headers: { "x-auth-token": world.token },
    body: { "RAX-AUTH:verificationCode": { code: codeAt(world.other.secret, clock.now()) } },
  });

const verifyPhoneAtV2: Request["send"] = (api, world) =>
  api.call("POST", `${multiFactor(world)}/mobile-phones/${world.phone.id}/verify`, {
    headers: { "x-auth-token": world.token },
    body: { "RAX-AUTH:verificationCode": { code: world.phone.pin } },
  });

const verifyKey: Request["send"] = (api, { token, key }) =>
  keyCalls(api).verify(token, key.id, key.credential);

const verifyPhone = v1(
  "token",
  "POST",
  ({ phone }) => `${ME}/devices/${phone.id}/verify`,
  ({ phone }) => ({ code: phone.pin }),
);

/** Requests that change the user's devices, their codes, or how they are used. */
export const DEVICE_REQUESTS: Request[] = [
  {
    name: "remove the app",
    writes: ["devices", "codes", "default"],
    needs: { devices: "verified" },
    send: v1("token", "DELETE", ({ app }) => `${ME}/devices/${app.id}`),
    event: "device_removed",
  },
  {
    name: "remove the app at /v2.0",
    writes: ["devices", "codes", "default"],
    needs: { devices: "verified", begins: "phone" },
    send: v2("token", "DELETE", ({ app }) => `/otp-devices/${app.id}`),
    event: "device_removed",
  },
  {
    name: "remove the other app",
    writes: ["unverified"],
    needs: { other: true },
    send: v1("token", "DELETE", ({ other }) => `${ME}/devices/${other.id}`),
    event: "device_removed",
  },
  {
    name: "remove all devices",
    writes: ["devices", "unverified", "codes", "default"],
    reads: ["requirement"],
    send: v1("token", "DELETE", () => `${ME}/devices`),
    event: "all_devices_removed",
  },
  {
    name: "make recovery codes",
    writes: ["codes"],
    reads: ["devices"],
    send: v1(
      "token",
      "POST",
      () => `${ME}/recovery-codes`,
      () => ({ quantity: 2 }),
    ),
    event: "recovery_codes_made",
  },
  {
    name: "a bypass code by the administrator",
    writes: ["codes"],
    reads: ["devices"],
    send: v2("chief", "POST", () => "/bypass-codes", { "RAX-AUTH:bypassCodes": {} }),
    event: "recovery_codes_made",
  },
  {
    name: "begin logins with the phone",
    writes: ["default"],
    reads: ["devices"],
    send: v1(
      "token",
      "PUT",
      () => `${ME}/multi-factor/default-method`,
      () => ({ method: "sms" }),
    ),
  },
  {
    name: "begin logins with the app",
    writes: ["default"],
    reads: ["devices"],
    send: v2("token", "PUT", whole, settings({ factorType: "OTP" })),
  },
  {
    name: "add an app",
    writes: ["unverified"],
    send: v1(
      "token",
      "POST",
      () => `${ME}/devices/otp`,
      () => ({ name: "New" }),
    ),
    event: "otp_device_added",
    atomic: true,
  },
  {
    name: "add a key",
    writes: ["unverified"],
    send: (api, { token }) => keyCalls(api).register(token),
    event: "webauthn_device_added",
    atomic: true,
  },
  {
    name: "rename the app",
    writes: ["devices"],
    needs: { devices: "verified" },
    send: v1(
      "token",
      "PATCH",
      ({ app }) => `${ME}/devices/${app.id}`,
      () => ({ name: "Renamed" }),
    ),
    event: "device_renamed",
    atomic: true,
  },
  {
    name: "add a phone",
    writes: ["unverified"],
    needs: { phone: "none" },
    send: v1(
      "token",
      "POST",
      () => `${ME}/devices/sms`,
      ({ phone: { countryCode, phoneNumber } }) => ({ countryCode, phoneNumber }),
    ),
    event: "sms_device_added",
    atomic: true,
  },
  {
    name: "verify a phone",
    writes: ["devices", "unverified", "default", "sessions"],
    needs: { devices: "verified", phone: "unverified" },
    send: verifyPhone,
    event: "device_verified",
    ends: "own",
  },
  {
    name: "verify the first phone",
    writes: ["devices", "unverified", "default", "sessions"],
    needs: { devices: "none", phone: "unverified" },
    send: verifyPhone,
    event: "device_verified",
    ends: "every",
  },
  {
    name: "verify another app",
    writes: ["devices", "unverified"],
    needs: { devices: "verified", other: true },
    send: verifyOther(false),
    event: "device_verified",
  },
  {
    name: "verify another app as the default",
    writes: ["devices", "unverified", "default", "sessions"],
    needs: { devices: "verified", other: true },
    send: verifyOther(true),
    event: "device_verified",
    ends: "own",
  },
  {
    name: "verify the key as the default",
    writes: ["devices", "unverified", "default", "sessions"],
    needs: { devices: "verified", key: true },
    send: verifyKey,
    event: "device_verified",
    ends: "own",
  },
  {
    name: "verify the first app",
    writes: ["devices", "unverified", "sessions"],
    needs: { devices: "none", other: true },
    send: verifyOther(false),
    event: "device_verified",
  },
  {
    name: "verify the other app at /v2.0",
    writes: ["devices", "unverified"],
    needs: { enabling: "own_call", other: true },
    send: verifyOtherAtV2,
    event: "device_verified",
  },
  {
    name: "verify the first phone at /v2.0",
    writes: ["devices", "unverified"],
    needs: { devices: "none", phone: "unverified", enabling: "own_call" },
    send: verifyPhoneAtV2,
    event: "device_verified",
  },
  {
    name: "begin the other app anew",
    writes: ["unverified"],
    needs: { other: true },
    send: v1("token", "POST", ({ other }) => `${ME}/devices/${other.id}/restart`),
    event: "otp_device_restarted",
  },
  {
    name: "turn it on at /v2.0",
    writes: ["devices", "sessions"],
    needs: { devices: "inactive", enabling: "own_call" },
    send: v2("token", "PUT", whole, settings({ enabled: true })),
    event: "multi_factor_switched_on",
    ends: "every",
  },
  {
    name: "turn it off at /v2.0",
    writes: ["devices", "unverified", "codes", "default"],
    reads: ["requirement"],
    needs: { enabling: "at_once" },
    send: v2("token", "PUT", whole, settings({ enabled: false })),
    event: "all_devices_removed",
  },
  {
    name: "make the devices inactive at /v2.0",
    writes: ["devices", "codes"],
    reads: ["requirement"],
    needs: { devices: "verified", enabling: "own_call" },
    send: v2("token", "PUT", whole, settings({ enabled: false })),
  },
];
