import { codeAt } from "../../support/apps.ts";
import { logIn, ME, NEW_PASSWORD, type Request, settings, v1, v2, whole } from "./request.ts";

const unlock = v1(
  "support",
  "POST",
  ({ person }) => `/v1/support/users/${person.id}/unlock`,
  () => ({ reason: "a race" }),
);

/** Requests that change the user, their requirement, their lock or their sessions. */
export const USER_REQUESTS: Request[] = [
  {
    name: "require it of the user",
    writes: ["requirement", "sessions"],
    reads: ["devices"],
    send: v2("chief", "PUT", whole, settings({ userMultiFactorEnforcementLevel: "REQUIRED" })),
  },
  {
    name: "require it of the account",
    writes: ["requirement", "sessions"],
    reads: ["devices"],
    send: v1(
      "chief",
      "PUT",
      () => "/v1/account/multi-factor-policy",
      () => ({ requirement: "required" }),
    ),
  },
  {
    name: "change the password",
    writes: ["password", "sessions"],
    send: v1(
      "token",
      "PUT",
      () => `${ME}/password`,
      ({ person }) => ({ currentPassword: person.password, password: NEW_PASSWORD }),
    ),
    event: "password_changed",
    ends: "every",
  },
  {
    name: "change the address",
    writes: ["address"],
    send: v1(
      "token",
      "PUT",
      () => `${ME}/email`,
      ({ person }) => ({ email: `${person.id}@example.org` }),
    ),
    atomic: true,
  },
  {
    name: "give another role",
    writes: ["role", "sessions"],
    send: v1(
      "chief",
      "PUT",
      ({ person }) => `/v1/account/users/${person.id}/role`,
      () => ({ role: "administrator" }),
    ),
    ends: "every",
    atomic: true,
  },
  {
    name: "a reset by Support",
    writes: ["devices", "unverified", "codes", "default", "sessions"],
    send: v1(
      "support",
      "POST",
      ({ person }) => `/v1/support/users/${person.id}/reset-multi-factor`,
      () => ({ reason: "a race" }),
    ),
    event: "multi_factor_reset",
    ends: "every",
    atomic: true,
  },
  {
    name: "an unlock by Support",
    writes: ["lock"],
    needs: { wrong: "locked" },
    send: unlock,
  },
  {
    name: "an unlock by Support after a crash",
    writes: ["lock"],
    needs: { wrong: "counted" },
    send: unlock,
  },
  {
    name: "the wrong passcode that locks",
    writes: ["lock", "challenge"],
    needs: { devices: "verified", challenge: true, wrong: "six" },
    refused: 423,
    send: (api, { challengeId }) => api.verifyPasscode(challengeId, "1234567"),
  },
  {
    name: "log in",
    writes: ["sessions", "challenge"],
    reads: ["devices", "default", "password", "requirement", "lock", "role"],
    send: (api, world) => logIn(api, world),
  },
  {
    name: "answer a challenge",
    writes: ["sessions", "challenge"],
    reads: ["devices", "lock", "role"],
    needs: { devices: "verified", challenge: true },
    send: (api, { challengeId, app }, { clock }) =>
      api.verifyPasscode(challengeId, codeAt(app.secret, clock.now())),
  },
  {
    name: "answer it by a recovery code",
    writes: ["sessions", "challenge", "codes"],
    reads: ["lock"],
    needs: { devices: "verified", challenge: true, recoveryCode: true },
    send: (api, { challengeId, recoveryCode }) => api.verifyPasscode(challengeId, recoveryCode),
  },
  {
    name: "log out",
    writes: ["sessions"],
    send: (api, { token }) => api.logOut(token),
    ends: "own",
    atomic: true,
  },
  {
    name: "end all other sessions",
    writes: ["sessions", "challenge"],
    send: v1("token", "DELETE", () => "/v1/sessions"),
    atomic: true,
  },
];
