// I have the password of a user who must set up a second factor and has not done it yet. I set up
// my own. (Set-up at login allows that; docs/security.md says what limits it.) What else do I get,
// and can the owner see it?
import { beforeAll, describe, expect, test } from "vitest";
import type { listAudit } from "../../core/audit.ts";
import { codeAt, logInByApp, registerApp } from "../support/apps.ts";
import type { Operation } from "../support/contract.ts";
import type { Person } from "../support/people.ts";
import { newPhone } from "../support/phones.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword, startChallenge } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const stack = useStack();
let administrator: { person: Person; token: string };
beforeAll(async () => {
  const person = await stack.createUser({ role: "administrator" });
  let { token } = await logInByPassword(stack, person);
  const body = { requirement: "required" };
  await stack.api.call("PUT", "/v1/account/multi-factor-policy", { token, body });
  ({ token } = await logInByPassword(stack, person));
  administrator = { person, token };
});

const member = () => stack.createUser({ accountId: administrator.person.accountId });

/** The calls that a set-up session may make. All other calls are refused. */
const OPEN = [
  "get /v1/session",
  "post /v1/logout",
  "get /v1/me/multi-factor",
  "post /v1/me/devices/sms",
  "post /v1/me/devices/otp",
  "post /v1/me/devices/{id}/restart",
  "post /v1/me/devices/{id}/pin",
  "post /v1/me/devices/{id}/verify",
  "delete /v1/me/devices/{id}",
  "delete /v1/me/devices",
];

describe("a session for set-up", () => {
  test("can do what set-up needs; every other call of the API refuses it, also an administrator's", async () => {
    for (const token of [
      administrator.token,
      (await logInByPassword(stack, await member())).token,
    ]) {
      for (const [path, item] of Object.entries(stack.document.paths))
        for (const method of Object.keys(item)) {
          // A missing body is refused before the session is checked; routes.test.ts sends bodies.
          const { security, requestBody } = item[method] as Operation;
          if (!security || requestBody || OPEN.includes(`${method} ${path}`)) continue;
          const target = path.replace(/\{\w+\}/g, "0".repeat(32));
          const init = {
            method: method.toUpperCase(),
            headers: { authorization: `Bearer ${token}` },
          };
          const answer = await stack.app.request(target, init);
          const { code } = (await answer.json()) as { code: string };
          expect([code, answer.status], `${method} ${path}`).toEqual(["setup_only", 403]);
        }
      expect((await stack.api.session(token)).body.scope).toBe("mfa_setup");
    }
  });

  test("neither sees nor changes another user's device", async () => {
    const [ann, eve] = [await member(), await member()];
    const anns = await logInByPassword(stack, ann);
    const phone = newPhone();
    const { id } = (await stack.api.registerPhone(anns.token, phone)).body;
    const { token } = await logInByPassword(stack, eve);
    expectProblem(await stack.api.verifyDevice(token, id, "1234"), "device_not_found");
    expectProblem(await stack.api.resendPin(token, id), "device_not_found");
    expectProblem(
      await stack.api.call("DELETE", `/v1/me/devices/${id}`, { token }),
      "device_not_found",
    );
    expect((await stack.api.multiFactor(token)).body.devices).toEqual([]);
  });

  test("ends after fifteen minutes, in use or not, and does not become a full one", async () => {
    const { token } = await logInByPassword(stack, await member());
    for (let minute = 0; minute < 15; minute += 5) {
      expect((await stack.api.session(token)).body.scope).toBe("mfa_setup");
      await stack.advance(5 * 60_000);
    }
    expectProblem(await stack.api.session(token), "session_expired");
    ({ token: administrator.token } = await logInByPassword(stack, administrator.person));
  });
});

test("attack: the thief sets up first; the owner finds an unknown device, and everything is on record", async () => {
  const owner = await member();
  const { token } = await logInByPassword(stack, owner);
  const app = await registerApp(stack, token, "Eve's");
  const code = codeAt(app.secret, stack.clock.now());
  await stack.api.verifyDevice(token, app.device.id, code);
  // Set-up ends the session: the thief, too, must log in with the new device.
  expectProblem(await stack.api.session(token), "session_revoked");

  const challenge = await startChallenge(stack, owner);
  expect(challenge).toMatchObject({ method: "otp", methods: ["otp"] });
  const session = await logInByApp(stack, owner, app.secret);
  const path = "/v1/me/activity?limit=50";
  type Page = Awaited<ReturnType<typeof listAudit>>;
  const { events } = (await stack.api.call<Page>("GET", path, { token: session.token })).body;
  const types = events.map(({ type }) => type);
  for (const type of ["otp_device_added", "device_verified", "login_succeeded"])
    expect(types).toContain(type);
});

test("attack: both set up at once; the first logs the other out, and the second is refused", async () => {
  const owner = await member();
  const [first, second] = [
    await logInByPassword(stack, owner),
    await logInByPassword(stack, owner),
  ];
  const [mine, theirs] = [
    await registerApp(stack, first.token, "Mine"),
    await registerApp(stack, second.token, "Theirs"),
  ];
  const now = stack.clock.now();
  await stack.api.verifyDevice(first.token, mine.device.id, codeAt(mine.secret, now));
  const late = await stack.api.verifyDevice(
    second.token,
    theirs.device.id,
    codeAt(theirs.secret, now),
  );
  expectProblem(late, "session_revoked");
  const { token } = await logInByApp(stack, owner, mine.secret);
  const { devices } = (await stack.api.multiFactor(token)).body;
  expect(devices.filter(({ verified }) => verified).map(({ name }) => name)).toEqual(["Mine"]);
});
