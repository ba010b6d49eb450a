// My session is too weak: none at all, one for set-up, one of twenty minutes ago, one by password
// of a user with a second factor, or one of another role. I call every route.
import { beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../store/ids.ts";
import {
  accountLinks,
  accounts,
  apiKeys,
  devices,
  type Role,
  recoveryCodes,
  users,
  webhooks,
} from "../../store/postgres/schema.ts";
import { readEpochs } from "../../store/redis/sessions/revocations.ts";
import { openSession } from "../../store/redis/sessions/sessions.ts";
import { codeAt, logInByApp, registerApp, supportOperator, userWithApp } from "../support/apps.ts";
import { KEY_SETTINGS, keyCalls } from "../support/keys.ts";
import type { Person } from "../support/people.ts";
import { newPhone } from "../support/phones.ts";
import { useStack } from "../support/used.ts";

const SITE = "https://mfa.example";
const STALE_MS = 16 * 60_000;

const stack = useStack({ environment: KEY_SETTINGS });

/** What a route requires of its caller. A route with several kinds of request has several rows. */
type Row = {
  route: string;
  /** The weakest session that is enough. */
  needs: "nothing" | "setup" | "full";
  role?: Role;
  /** Requires a login in the last fifteen minutes, by password and second step, or by passkey. */
  recent?: true;
  /** Opens a session, or gives one a factor. */
  raises?: true;
  /** A session by password alone may finish an interrupted request, which ends the sessions. */
  halfEnds?: true;
  /** With these the request is valid. */
  path?: () => string;
  body?: () => Record<string, unknown>;
};

/** The users of the tests, and the ids that the requests name. */
let there: {
  admin: Person & { secret: string };
  operator: Person;
  member: Person;
  victim: Person;
  app: { id: string; secret: string };
  phone: { id: string; pin: string };
  key: { id: string };
  hook: string;
};
const own = () => `/v2.0/users/${there.admin.id}/RAX-AUTH/multi-factor`;
const others = () => `/v2.0/users/${there.victim.id}/RAX-AUTH/multi-factor`;
const appCode = () => codeAt(there.app.secret, stack.clock.now());
const proof = (code: string) => ({ "RAX-AUTH:verificationCode": { code } });
const setting = (to: object) => ({ "RAX-AUTH:multiFactor": to });
const domain = () => `/v2.0/RAX-AUTH/domains/${there.admin.accountId}`;
const reason = { reason: "Seen in person" };

const OPEN: Row[] = [
  "GET /healthz",
  "GET /readyz",
  "GET /health/dependencies",
  "GET /openapi.json",
  "GET /docs",
  "GET /docs/swagger-ui.css",
  "GET /docs/swagger-ui-bundle.js",
  "GET /docs/start.js",
  "GET /dev/outbox",
  "GET /dev/phone",
  "GET /portal/style.css",
  "GET /portal/portal.js",
  "GET /portal/simplewebauthn.js",
  "GET /portal/keys.js",
  "GET /.well-known/webauthn",
  "GET /portal/icon.svg",
  "POST /v1/providers/twilio/:reference",
  "GET /v1/login/challenges/:id",
  "POST /v1/login/challenges/:id/resend",
  "POST /v1/login/challenges/:id/method",
  "POST /v1/login/challenges/:id/webauthn",
  "POST /v1/login/passkey/options",
  "GET /login",
  "GET /login/:id",
  "GET /login/cookies",
  "POST /login/:id/resend",
  "POST /login/:id/method",
  "POST /logout",
].map((route) => ({ route, needs: "nothing" }));

const LOGINS: Row[] = [
  "POST /v1/login",
  "POST /v1/login/challenges/:id/verify",
  "POST /v1/login/passkey",
  "POST /login/passkey",
  "POST /v2.0/tokens",
  "POST /login",
  "POST /login/:id/verify",
].map((route) => ({ route, needs: "nothing", raises: true }));

const V1: Row[] = [
  { route: "GET /v1/session", needs: "setup" },
  { route: "POST /v1/logout", needs: "setup" },
  { route: "GET /v1/sessions", needs: "full" },
  { route: "DELETE /v1/sessions", needs: "full" },
  { route: "DELETE /v1/sessions/:id", needs: "full" },
  { route: "GET /v1/me/multi-factor", needs: "setup" },
  {
    route: "POST /v1/me/devices/sms",
    needs: "setup",
    recent: true,
    body: () => {
      const { countryCode, phoneNumber } = newPhone();
      return { countryCode, phoneNumber };
    },
  },
  {
    route: "POST /v1/me/devices/otp",
    needs: "setup",
    recent: true,
    body: () => ({ name: "Eve's" }),
  },
  {
    route: "POST /v1/me/devices/webauthn",
    needs: "setup",
    recent: true,
    body: () => ({ name: "Eve's" }),
  },
  {
    route: "PATCH /v1/me/devices/:id",
    needs: "setup",
    recent: true,
    path: () => `/v1/me/devices/${there.app.id}`,
    body: () => ({ name: "Eve's" }),
  },
  {
    route: "POST /v1/me/devices/:id/restart",
    needs: "setup",
    recent: true,
    path: () => `/v1/me/devices/${there.app.id}/restart`,
  },
  {
    route: "POST /v1/me/devices/:id/pin",
    needs: "setup",
    recent: true,
    path: () => `/v1/me/devices/${there.phone.id}/pin`,
  },
  {
    route: "POST /v1/me/devices/:id/verify",
    needs: "setup",
    recent: true,
    raises: true,
    path: () => `/v1/me/devices/${there.app.id}/verify`,
    body: () => ({ code: appCode(), makeDefault: false }),
  },
  {
    route: "POST /v1/me/devices/:id/verify",
    needs: "setup",
    recent: true,
    path: () => `/v1/me/devices/${there.phone.id}/verify`,
    body: () => ({ code: there.phone.pin }),
  },
  {
    route: "DELETE /v1/me/devices/:id",
    needs: "setup",
    recent: true,
    path: () => `/v1/me/devices/${there.app.id}`,
  },
  { route: "DELETE /v1/me/devices", needs: "setup", recent: true },
  {
    route: "PUT /v1/me/multi-factor/default-method",
    needs: "full",
    recent: true,
    body: () => ({ method: "otp" }),
  },
  {
    route: "POST /v1/me/recovery-codes",
    needs: "full",
    recent: true,
    body: () => ({ quantity: 1 }),
  },
  {
    route: "PUT /v1/me/email",
    needs: "full",
    recent: true,
    body: () => ({ email: "eve@example.com" }),
  },
  {
    route: "PUT /v1/me/password",
    needs: "full",
    recent: true,
    body: () => ({ currentPassword: there.admin.password, password: "a quite new one" }),
  },
  { route: "GET /v1/me/activity", needs: "full" },
];

const V1_ACCOUNT: Row[] = (
  [
    { route: "GET /v1/account/links" },
    {
      route: "POST /v1/account/links",
      recent: true,
      body: () => ({ username: there.victim.username, password: there.victim.password }),
    },
    { route: "GET /v1/account/links/:id/multi-factor-policy" },
    { route: "PUT /v1/account/links/:id/multi-factor-policy" },
    { route: "GET /v1/account/multi-factor-policy" },
    { route: "GET /v1/account/passkey-login" },
    { route: "PUT /v1/account/passkey-login", recent: true, body: () => ({ allowed: false }) },
    {
      route: "PUT /v1/account/multi-factor-policy",
      recent: true,
      body: () => ({ requirement: "required" }),
    },
    { route: "GET /v1/account/users" },
    {
      route: "POST /v1/account/users",
      recent: true,
      body: () => ({ username: `eve-${newId()}`, password: "long enough", role: "administrator" }),
    },
    {
      route: "PUT /v1/account/users/:id/role",
      recent: true,
      path: () => `/v1/account/users/${there.victim.id}/role`,
      body: () => ({ role: "administrator" }),
    },
    { route: "GET /v1/account/activity" },
    { route: "GET /v1/account/activity/export" },
    { route: "GET /v1/account/webhooks" },
    {
      route: "POST /v1/account/webhooks",
      recent: true,
      body: () => ({ url: "http://127.0.0.1:9/eve" }),
    },
    {
      route: "GET /v1/account/webhooks/:id",
      path: () => `/v1/account/webhooks/${there.hook}`,
    },
    {
      route: "DELETE /v1/account/webhooks/:id",
      recent: true,
      path: () => `/v1/account/webhooks/${there.hook}`,
    },
    {
      route: "POST /v1/account/webhooks/:id/enable",
      recent: true,
      path: () => `/v1/account/webhooks/${there.hook}/enable`,
    },
    {
      route: "GET /v1/account/webhooks/:id/deliveries",
      path: () => `/v1/account/webhooks/${there.hook}/deliveries`,
    },
    {
      route: "POST /v1/account/webhooks/:id/deliveries/:eventId/resend",
      path: () => `/v1/account/webhooks/${there.hook}/deliveries/1/resend`,
    },
  ] satisfies Omit<Row, "needs">[]
).map((row) => ({ ...row, needs: "full", role: "administrator" }));

const V1_SUPPORT: Row[] = (
  [
    { route: "GET /v1/support/users", path: () => "/v1/support/users?query=user" },
    { route: "GET /v1/support/users/:id", path: () => `/v1/support/users/${there.victim.id}` },
    {
      route: "POST /v1/support/users/:id/unlock",
      path: () => `/v1/support/users/${there.victim.id}/unlock`,
      body: () => reason,
    },
    {
      route: "POST /v1/support/users/:id/reset-multi-factor",
      path: () => `/v1/support/users/${there.victim.id}/reset-multi-factor`,
      body: () => reason,
    },
  ] satisfies Omit<Row, "needs">[]
).map((row) => ({ ...row, needs: "full", role: "support", recent: true }));

const U = "/v2.0/users/:userId/RAX-AUTH/multi-factor";
const IDENTITY: Row[] = [
  { route: "DELETE /v2.0/tokens", needs: "full" },
  { route: "GET /v2.0/tokens/:tokenId", needs: "full" },
  { route: "DELETE /v2.0/tokens/:tokenId", needs: "full" },
  {
    route: "GET /v2.0/users",
    needs: "full",
    path: () => `/v2.0/users?name=${there.admin.username}`,
  },
  { route: "GET /v2.0/users/:userId", needs: "full", path: () => `/v2.0/users/${there.admin.id}` },
  { route: "GET /v2.0/RAX-AUTH/domains/:domainId", needs: "full", path: domain },
  {
    route: "PUT /v2.0/RAX-AUTH/domains/:domainId/multi-factor",
    needs: "full",
    role: "administrator",
    recent: true,
    path: () => `${domain()}/multi-factor`,
    body: () => ({
      "RAX-AUTH:multiFactorDomain": { domainMultiFactorEnforcementLevel: "REQUIRED" },
    }),
  },
  ...[{ enabled: false }, { factorType: "OTP" }].map(
    (to): Row => ({
      route: `PUT ${U}`,
      needs: "setup",
      recent: true,
      path: own,
      body: () => setting(to),
    }),
  ),
  {
    route: `PUT ${U}`,
    needs: "setup",
    recent: true,
    halfEnds: true,
    path: own,
    body: () => setting({ enabled: true }),
  },
  ...[{ enabled: false }, { unlock: true }, { userMultiFactorEnforcementLevel: "OPTIONAL" }].map(
    (to): Row => ({
      route: `PUT ${U}`,
      needs: "full",
      role: "administrator",
      recent: true,
      path: others,
      body: () => setting(to),
    }),
  ),
  { route: `DELETE ${U}`, needs: "setup", recent: true, path: own },
  { route: `DELETE ${U}`, needs: "full", role: "administrator", recent: true, path: others },
  {
    route: `POST ${U}/mobile-phones`,
    needs: "setup",
    recent: true,
    path: () => `${own()}/mobile-phones`,
    body: () => ({ "RAX-AUTH:mobilePhone": { number: newPhone().e164 } }),
  },
  { route: `GET ${U}/mobile-phones`, needs: "setup", path: () => `${own()}/mobile-phones` },
  {
    route: `GET ${U}/mobile-phones/:deviceId`,
    needs: "setup",
    path: () => `${own()}/mobile-phones/${there.phone.id}`,
  },
  {
    route: `DELETE ${U}/mobile-phones/:deviceId`,
    needs: "setup",
    recent: true,
    path: () => `${own()}/mobile-phones/${there.phone.id}`,
  },
  {
    route: `POST ${U}/mobile-phones/:deviceId/verificationcode`,
    needs: "setup",
    recent: true,
    path: () => `${own()}/mobile-phones/${there.phone.id}/verificationcode`,
  },
  {
    route: `POST ${U}/mobile-phones/:deviceId/verify`,
    needs: "setup",
    recent: true,
    path: () => `${own()}/mobile-phones/${there.phone.id}/verify`,
    body: () => proof(there.phone.pin),
  },
  {
    route: `POST ${U}/otp-devices`,
    needs: "setup",
    recent: true,
    path: () => `${own()}/otp-devices`,
    body: () => ({ "RAX-AUTH:otpDevice": { name: "Eve's" } }),
  },
  { route: `GET ${U}/otp-devices`, needs: "setup", path: () => `${own()}/otp-devices` },
  {
    route: `GET ${U}/otp-devices/:deviceId`,
    needs: "setup",
    path: () => `${own()}/otp-devices/${there.app.id}`,
  },
  {
    route: `DELETE ${U}/otp-devices/:deviceId`,
    needs: "setup",
    recent: true,
    path: () => `${own()}/otp-devices/${there.app.id}`,
  },
  {
    route: `POST ${U}/otp-devices/:deviceId/verify`,
    needs: "setup",
    recent: true,
    raises: true,
    path: () => `${own()}/otp-devices/${there.app.id}/verify`,
    body: () => proof(appCode()),
  },
  {
    route: `POST ${U}/bypass-codes`,
    needs: "full",
    recent: true,
    path: () => `${own()}/bypass-codes`,
    body: () => ({ "RAX-AUTH:bypassCodes": {} }),
  },
  {
    route: `POST ${U}/bypass-codes`,
    needs: "full",
    role: "administrator",
    recent: true,
    path: () => `${others()}/bypass-codes`,
    body: () => ({ "RAX-AUTH:bypassCodes": {} }),
  },
];

const device = (path: string, kind: "app" | "phone" | "key") => () =>
  path.replace(":id", there[kind].id);
const PORTAL: Row[] = [
  { route: "GET /", needs: "setup" },
  { route: "GET /set-up", needs: "setup" },
  { route: "GET /devices", needs: "setup" },
  { route: "GET /devices/sms/new", needs: "setup", recent: true },
  {
    route: "POST /devices/sms",
    needs: "setup",
    recent: true,
    body: () => {
      const { countryCode, phoneNumber } = newPhone();
      return { countryCode, phoneNumber };
    },
  },
  {
    route: "GET /devices/sms/:id",
    needs: "setup",
    recent: true,
    path: device("/devices/sms/:id", "phone"),
  },
  {
    route: "POST /devices/sms/:id/pin",
    needs: "setup",
    recent: true,
    path: device("/devices/sms/:id/pin", "phone"),
  },
  {
    route: "POST /devices/sms/:id/verify",
    needs: "setup",
    recent: true,
    path: device("/devices/sms/:id/verify", "phone"),
    body: () => ({ code: there.phone.pin }),
  },
  { route: "GET /devices/otp/new", needs: "setup", recent: true },
  { route: "POST /devices/otp", needs: "setup", recent: true, body: () => ({ name: "Eve's" }) },
  {
    route: "GET /devices/otp/:id",
    needs: "setup",
    recent: true,
    path: device("/devices/otp/:id", "app"),
  },
  {
    route: "POST /devices/otp/:id/restart",
    needs: "setup",
    recent: true,
    path: device("/devices/otp/:id/restart", "app"),
  },
  {
    route: "POST /devices/otp/:id/verify",
    needs: "setup",
    recent: true,
    raises: true,
    path: device("/devices/otp/:id/verify", "app"),
    body: () => ({ code: appCode() }),
  },
  { route: "GET /devices/webauthn/new", needs: "setup", recent: true },
  {
    route: "POST /devices/webauthn",
    needs: "setup",
    recent: true,
    body: () => ({ name: "Eve's" }),
  },
  {
    route: "GET /devices/webauthn/:id",
    needs: "setup",
    recent: true,
    path: device("/devices/webauthn/:id", "key"),
  },
  {
    route: "POST /devices/webauthn/:id/restart",
    needs: "setup",
    recent: true,
    path: device("/devices/webauthn/:id/restart", "key"),
  },
  {
    route: "POST /devices/webauthn/:id/verify",
    needs: "setup",
    recent: true,
    raises: true,
    path: device("/devices/webauthn/:id/verify", "key"),
    body: () => ({ credential: "{}" }),
  },
  {
    route: "POST /devices/manage/:id/name",
    needs: "setup",
    recent: true,
    path: device("/devices/manage/:id/name", "app"),
    body: () => ({ name: "Eve's" }),
  },
  { route: "GET /devices/default", needs: "full", recent: true },
  { route: "POST /devices/default", needs: "full", recent: true, body: () => ({ method: "otp" }) },
  { route: "GET /devices/recovery-codes", needs: "full" },
  { route: "GET /devices/recovery-codes/new", needs: "full", recent: true },
  {
    route: "POST /devices/recovery-codes",
    needs: "full",
    recent: true,
    body: () => ({ quantity: "1" }),
  },
  { route: "GET /devices/email", needs: "full", recent: true },
  {
    route: "POST /devices/email",
    needs: "full",
    recent: true,
    body: () => ({ email: "eve@example.com" }),
  },
  {
    route: "GET /devices/manage/:id",
    needs: "setup",
    path: device("/devices/manage/:id", "app"),
  },
  {
    route: "GET /devices/manage/:id/remove",
    needs: "setup",
    recent: true,
    path: device("/devices/manage/:id/remove", "app"),
  },
  {
    route: "POST /devices/manage/:id/remove",
    needs: "setup",
    recent: true,
    path: device("/devices/manage/:id/remove", "app"),
  },
  { route: "GET /devices/remove-all", needs: "setup", recent: true },
  { route: "POST /devices/remove-all", needs: "setup", recent: true },
  { route: "GET /devices/removals/:id", needs: "setup" },
  { route: "GET /sessions", needs: "full" },
  { route: "POST /sessions/:id/end", needs: "full" },
  { route: "POST /sessions/end-others", needs: "full" },
  { route: "GET /sessions/password", needs: "full", recent: true },
  {
    route: "POST /sessions/password",
    needs: "full",
    recent: true,
    body: () => ({
      currentPassword: there.admin.password,
      password: "a quite new one",
      repeated: "a quite new one",
    }),
  },
  { route: "GET /activity", needs: "full" },
];

const PORTAL_ACCOUNT: Row[] = (
  [
    { route: "GET /account" },
    {
      route: "POST /account",
      recent: true,
      body: () => ({ requirement: "required", enforceAfter: "0", sure: "yes" }),
    },
    { route: "GET /account/requirement", recent: true },
    { route: "POST /account/passkey-login", recent: true, body: () => ({ allowed: "no" }) },
    { route: "GET /account/requirement/now", recent: true },
    { route: "GET /account/users" },
    {
      route: "GET /account/users/:id/role",
      recent: true,
      path: () => `/account/users/${there.victim.id}/role`,
    },
    {
      route: "POST /account/users/:id/role",
      recent: true,
      path: () => `/account/users/${there.victim.id}/role`,
      body: () => ({ role: "administrator" }),
    },
    { route: "GET /account/users/new", recent: true },
    {
      route: "POST /account/users",
      recent: true,
      body: () => ({ username: `eve-${newId()}`, password: "long enough" }),
    },
    { route: "GET /account/activity" },
    { route: "GET /account/activity/export" },
    { route: "GET /account/links" },
    { route: "GET /account/links/new", recent: true },
    {
      route: "POST /account/links",
      recent: true,
      body: () => ({ username: there.victim.username, password: there.victim.password }),
    },
    { route: "GET /account/webhooks" },
    { route: "GET /account/webhooks/new", recent: true },
    {
      route: "POST /account/webhooks",
      recent: true,
      body: () => ({ url: "http://127.0.0.1:9/eve" }),
    },
    { route: "GET /account/webhooks/:id", path: () => `/account/webhooks/${there.hook}` },
    {
      route: "GET /account/webhooks/:id/secret",
      path: () => `/account/webhooks/${there.hook}/secret`,
    },
    {
      route: "GET /account/webhooks/:id/remove",
      recent: true,
      path: () => `/account/webhooks/${there.hook}/remove`,
    },
    {
      route: "POST /account/webhooks/:id/remove",
      recent: true,
      path: () => `/account/webhooks/${there.hook}/remove`,
    },
    {
      route: "GET /account/webhooks/:id/enable",
      recent: true,
      path: () => `/account/webhooks/${there.hook}/enable`,
    },
    {
      route: "POST /account/webhooks/:id/enable",
      recent: true,
      path: () => `/account/webhooks/${there.hook}/enable`,
    },
    {
      route: "POST /account/webhooks/:id/deliveries/:eventId/resend",
      path: () => `/account/webhooks/${there.hook}/deliveries/1/resend`,
    },
  ] satisfies Omit<Row, "needs">[]
).map((row) => ({ ...row, needs: "full", role: "administrator" }));

const PORTAL_SUPPORT: Row[] = (
  [
    { route: "GET /support", path: () => "/support?query=user" },
    { route: "GET /support/users/:id", path: () => `/support/users/${there.victim.id}` },
    {
      route: "GET /support/users/:id/reset",
      path: () => `/support/users/${there.victim.id}/reset`,
    },
    ...["unlock", "reset"].map((action) => ({
      route: `POST /support/users/:id/${action}`,
      path: () => `/support/users/${there.victim.id}/${action}`,
      body: () => ({ [`${action}-reason`]: reason.reason }),
    })),
  ] satisfies Omit<Row, "needs">[]
).map((row) => ({ ...row, needs: "full", role: "support", recent: true }));

const ROWS = [
  ...[OPEN, LOGINS, V1, V1_ACCOUNT, V1_SUPPORT],
  ...[IDENTITY, PORTAL, PORTAL_ACCOUNT, PORTAL_SUPPORT],
].flat();

beforeAll(async () => {
  const admin = await userWithApp(stack, { role: "administrator" });
  const { accountId } = admin.user;
  const { token } = await logInByApp(stack, admin.user, admin.secret);
  const app = await registerApp(stack, token, "Unproven");
  const number = newPhone();
  const { id } = (await stack.api.registerPhone(token, number)).body;
  const url = "http://127.0.0.1:9/";
  const hook = await stack.api.call<{ id: string }>("POST", "/v1/account/webhooks", {
    token,
    body: { url },
  });
  there = {
    admin: { ...admin.user, secret: admin.secret },
    operator: (await supportOperator(stack, accountId)).user,
    member: await stack.createUser({ accountId }),
    victim: (await userWithApp(stack, { accountId })).user,
    app: { id: app.device.id, secret: app.secret },
    phone: { id, pin: await stack.pinTo(number.e164) },
    key: { id: (await keyCalls(stack.api).register(token)).body.device.id },
    hook: hook.body.id,
  };
});

type Login = { scope?: "full" | "mfa_setup"; amr?: string[]; agoMs?: number };

/** A session as after such a login. */
async function sessionOf(
  { id: userId, accountId, username }: Person,
  role: Role,
  { scope = "full", amr = ["pwd", "otp", "mfa"], agoMs = 0 }: Login,
): Promise<string> {
  const { redis, clock } = stack.deps;
  const opened = await openSession(redis, {
    ...{ userId, accountId, username, role, scope, amr },
    epochs: await readEpochs(redis, userId, accountId),
    now: clock.now() - agoMs,
    lifetimeMs: 86_400_000,
  });
  if (typeof opened === "string") throw new Error(opened);
  return opened.token;
}

/** Sends the row's request to its API or to the portal. */
async function send({ route, path, body }: Row, token: string | undefined) {
  const [method = "", pattern = ""] = route.split(" ");
  const target = path?.() ?? pattern.replace(/:\w+/g, () => newId());
  const text = body && JSON.stringify(body());
  if (pattern.startsWith("/v1/"))
    return stack.app.request(target, {
      method,
      headers: {
        ...(text && { "content-type": "application/json" }),
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: text,
    });
  if (pattern.startsWith("/v2.0/"))
    return stack.app.request(target, {
      method,
      headers: {
        ...(text && { "content-type": "application/json" }),
        ...(token && { "x-auth-token": token }),
      },
      body: text,
    });
  return visit(method, target, token, body?.() as Record<string, string> | undefined);
}

/** Asks the portal for a page, or sends it a form. */
function visit(
  method: string,
  path: string,
  token: string | undefined,
  fields?: Record<string, string>,
) {
  return stack.app.request(`${SITE}${path}`, {
    method,
    headers: {
      ...(method === "POST" && { "content-type": "application/x-www-form-urlencoded" }),
      "sec-fetch-site": "same-origin",
      ...(token && { cookie: `__Host-session=${token}` }),
    },
    body: method === "POST" ? new URLSearchParams(fields) : undefined,
  });
}

type Refusal = "unauthenticated" | "setup_only" | "reauthentication_required" | "forbidden";

/** Expects exactly this refusal, in the form of the row's API or of the portal. */
async function expectRefusal(row: Row, token: string | undefined, refusal: Refusal) {
  const answer = await send(row, token);
  const label = `${row.route} ${refusal}`;
  const [, path = ""] = row.route.split(" ");
  const text = await answer.text();
  if (path.startsWith("/v1/")) {
    const { code } = JSON.parse(text) as { code: string };
    expect(code, `${label}: ${text}`).toBe(refusal);
  } else if (path.startsWith("/v2.0/")) {
    const isForbidden = refusal === "setup_only" || refusal === "forbidden";
    expect(answer.status, `${label}: ${text}`).toBe(isForbidden ? 403 : 401);
    if (refusal === "reauthentication_required") expect(text, label).toContain("log in again");
  } else {
    const to = answer.headers.get("location");
    if (refusal === "forbidden") {
      // The portal shows a form's refusal on its page, which is itself refused.
      const page = to ? await visit("GET", to, token) : answer;
      expect([page.status, page.headers.get("location")], label).toEqual([403, null]);
    } else expect(answer.status, label).toBe(303);
    if (refusal === "unauthenticated") expect(to, label).toMatch(/^\/login(\?(?!again)|$)/);
    if (refusal === "setup_only") expect(to, label).toMatch(/^\/set-up/);
    if (refusal === "reauthentication_required") expect(to, label).toMatch(/^\/login\?again/);
  }
}

/** All rows that a request of the table could change. */
async function state() {
  const { db } = stack.deps;
  const tables = [users, devices, recoveryCodes, accounts, accountLinks, webhooks, apiKeys];
  const rows = await Promise.all(tables.map((table) => db.select().from(table)));
  return rows.map((of) => of.map((row) => JSON.stringify(row)).sort());
}

/** The user whose sessions a row is tried with. */
const subjectOf = ({ role }: Row): [Person, Role] =>
  role === "support" ? [there.operator, "support"] : [there.admin, "administrator"];

describe("the table", () => {
  test("has every route of every face, and no route that does not exist", () => {
    const routes = stack.app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path}`);
    const listed = new Set(ROWS.map(({ route }) => route));
    const missing = [...new Set(routes)].filter((route) => !listed.has(route));
    expect(missing.filter((route) => !isWayBack(route, routes))).toEqual([]);
    expect([...listed].filter((route) => !routes.includes(route))).toEqual([]);
  });

  test("leaves out only the GET addresses of forms, which lead to their page and show nothing", async () => {
    const routes = stack.app.routes.map(({ method, path }) => `${method} ${path}`);
    const listed = new Set(ROWS.map(({ route }) => route));
    const ways = [...new Set(routes)].filter((way) => !listed.has(way) && isWayBack(way, routes));
    expect(ways.length).toBeGreaterThan(0);
    for (const route of ways) {
      const answer = await send({ route, needs: "nothing" }, undefined);
      expect([answer.status, await answer.text()], route).toEqual([303, ""]);
    }
  });

  test("asks for a recent login wherever a session gains rights", () => {
    const raising = ROWS.filter(({ raises, needs }) => raises && needs !== "nothing");
    expect(raising.length).toBeGreaterThanOrEqual(3);
    for (const { route, recent } of raising) expect(recent, route).toBe(true);
  });
});

/** Whether the route is only the address of a form, which a browser may also GET. */
const isWayBack = (route: string, routes: string[]) =>
  route.startsWith("GET /") && routes.includes(route.replace("GET", "POST"));

const name = ({ route, body, role }: Row, n: number) =>
  `${n}: ${route}${role ? ` (${role})` : ""}${body ? ", with a valid body" : ""}`;
const guarded = ROWS.filter(({ needs }) => needs !== "nothing").map(
  (row, n) => [name(row, n), row] as const,
);

describe("attack: a session that is not good enough", () => {
  test.each(guarded)("%s", async (_, row) => {
    const { needs, role, recent, halfEnds } = row;
    const [person, personsRole] = subjectOf(row);
    const before = await state();

    await expectRefusal(row, undefined, "unauthenticated");
    if (needs === "full") {
      const setup = await sessionOf(person, personsRole, { scope: "mfa_setup", amr: ["pwd"] });
      await expectRefusal(row, setup, "setup_only");
    }
    if (role) {
      const others: [Person, Role][] = [
        [there.member, "member"],
        role === "support" ? [there.admin, "administrator"] : [there.operator, "support"],
      ];
      for (const [other, otherRole] of others) {
        const token = await sessionOf(other, otherRole, {});
        await expectRefusal(row, token, "forbidden");
      }
    }
    if (recent) {
      const stale = await sessionOf(person, personsRole, { agoMs: STALE_MS });
      const then = (await stack.api.session(stale)).body.authenticatedAt;
      await expectRefusal(row, stale, "reauthentication_required");
      const after = (await stack.api.session(stale)).body;
      expect([after.authenticatedAt, after.amr]).toEqual([then, ["pwd", "otp", "mfa"]]);
      const half = await sessionOf(person, personsRole, { amr: ["pwd"] });
      if (halfEnds) {
        await send(row, half);
        expect((await stack.api.session(half)).status).toBe(401);
      } else await expectRefusal(row, half, "reauthentication_required");
    }
    expect(await state()).toEqual(before);
  });
});
