import { beforeAll, describe, expect, test } from "vitest";
import type { ProblemCode } from "../../../core/problem.ts";
import { newId } from "../../../store/ids.ts";
import { newPhone } from "../../support/phones.ts";
import { expectProblem } from "../../support/problems.ts";
import {
  enrollPhone,
  logInByPassword,
  startChallenge,
  wrongCode,
} from "../../support/scenarios.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();
let token: string;
beforeAll(async () => {
  token = (await logInByPassword(stack, await stack.createUser())).token;
});

/** Credentials of an unknown user, with their own budget of guesses. */
const nobody = () => ({ username: `nobody-${newId()}`, password: "secret" });

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  stack.api.call("POST", path, { token, body, headers });

describe("a body that is not a JSON object", () => {
  const bodies: [string, string, ProblemCode][] = [
    ["cut off", '{"username":', "malformed_json"],
    ["not JSON", "username=alice&password=x", "malformed_json"],
    ["single quotes", "{'username':'alice'}", "malformed_json"],
    ["nothing", "", "malformed_json"],
    ["deeply nested and cut off", "[".repeat(30_000), "malformed_json"],
    ["deeply nested", "[".repeat(20_000) + "]".repeat(20_000), "invalid_request"],
    ["null", "null", "invalid_request"],
    ["an array", "[]", "invalid_request"],
    ["a text", '"alice"', "invalid_request"],
    ["a number", "1e400", "invalid_request"],
    ["no field", "{}", "invalid_request"],
    ["another's prototype", '{"__proto__":{"username":"a","password":"b"}}', "invalid_request"],
  ];
  test.each(bodies)("%s", async (_, body, code) => {
    for (const path of [
      "/v1/login",
      `/v1/login/challenges/${"0".repeat(56)}/verify`,
      "/v1/me/devices/sms",
    ])
      expectProblem(await post(path, body), code);
  });
});

describe("a field of the wrong kind", () => {
  const wrong = [null, true, 0, -1, 1e308, [], ["x"], {}, { $ne: "" }];
  const routes: [path: string, good: Record<string, unknown>][] = [
    ["/v1/login", nobody()],
    [`/v1/login/challenges/${"0".repeat(56)}/verify`, { passcode: "1234567" }],
    [`/v1/login/challenges/${"0".repeat(56)}/method`, { method: "sms" }],
    ["/v1/me/devices/sms", { countryCode: "US", phoneNumber: "212-555-0100" }],
    [`/v1/me/devices/${"0".repeat(32)}/verify`, { code: "1234" }],
  ];
  test.each(routes)("%s", async (path, good) => {
    for (const field of Object.keys(good)) {
      for (const value of wrong) {
        const { errors } = expectProblem(
          await post(path, { ...good, [field]: value }),
          "invalid_request",
        );
        expect(new Set(errors?.map(({ path }) => path))).toEqual(new Set([field]));
      }
      const { [field]: _, ...rest } = good;
      expectProblem(await post(path, rest), "invalid_request");
    }
  });
});

describe("a text that no store accepts", () => {
  const texts = [
    "",
    " ",
    "\u0000",
    "a\u0000b",
    "\ud800",
    "\u202e",
    "\ufeff",
    "💥".repeat(40),
    "x".repeat(5000),
    "' or 1=1 --",
    "{1}",
    "%s%n",
  ];

  test("as a user name and a password", async () => {
    for (const text of texts) {
      expectProblem(
        await post("/v1/login", { username: text, password: "x" }),
        "invalid_credentials",
        "invalid_request",
      );
      expectProblem(
        await post("/v1/login", { ...nobody(), password: text }),
        "invalid_credentials",
        "invalid_request",
      );
    }
  });

  test("as a country and a phone number", async () => {
    for (const text of texts) {
      expectProblem(
        await post("/v1/me/devices/sms", { countryCode: text, phoneNumber: "212-555-0100" }),
        "invalid_phone_number",
        "invalid_request",
      );
      expectProblem(
        await post("/v1/me/devices/sms", { countryCode: "US", phoneNumber: text }),
        "invalid_phone_number",
        "invalid_request",
      );
    }
  });

  test("as a passcode and a PIN", async () => {
    const user = await stack.createUser();
    const { token: own } = await logInByPassword(stack, user);
    const phone = newPhone();
    const device = (await stack.api.registerPhone(own, phone)).body;
    const other = await stack.createUser();
    await enrollPhone(stack, other);
    const challenge = await startChallenge(stack, other);
    for (const text of [...texts, "12345", "123456789", "12e4567", "1234.56", "0x1234567"]) {
      expectProblem(await stack.api.verifyDevice(own, device.id, text), "invalid_request");
      expectProblem(await stack.api.verifyPasscode(challenge.id, text), "invalid_request");
    }
    // None of these requests counted as an attempt.
    expect((await stack.api.challenge(challenge.id)).body.attemptsRemaining).toBe(7);
    const wrong = wrongCode(await stack.pinTo(phone.e164));
    const problem = expectProblem(
      await stack.api.verifyDevice(own, device.id, wrong),
      "pin_rejected",
    );
    expect(problem.triesRemaining).toBe(4);
  });

  test("as an id in the path", async () => {
    const ids = [
      "x",
      "%00",
      "%ff",
      "%F0%9F%92%A5",
      "..%2f..%2fetc",
      "0".repeat(32),
      "0".repeat(56),
      "0".repeat(5000),
      "%",
      "'",
      "null",
      "__proto__",
    ];
    for (const id of ids) {
      expectProblem(await stack.api.challenge(id), "challenge_not_found");
      expectProblem(await stack.api.verifyPasscode(id, "1234567"), "challenge_not_found");
      expectProblem(await stack.api.resendPasscode(id), "challenge_not_found");
      expectProblem(await stack.api.chooseMethod(id, "sms"), "challenge_not_found");
      expectProblem(await stack.api.resendPin(token, id), "device_not_found");
      expectProblem(await stack.api.verifyDevice(token, id, "1234"), "device_not_found");
      expectProblem(await stack.api.endSession(token, id), "session_not_found");
    }
  });
});

describe("a body of the wrong size or type", () => {
  const large = JSON.stringify({ username: "x".repeat(64 * 1024), password: "x" });
  const largest = JSON.stringify(nobody()).padEnd(64 * 1024, " ");

  test("over 64 KiB", async () => {
    expectProblem(
      await post("/v1/login", large, { "content-length": String(large.length) }),
      "body_too_large",
    );
    expectProblem(await post("/v1/login", large), "body_too_large");
    expectProblem(await post("/v1/login", `${largest} `), "body_too_large");
  });

  test("of exactly 64 KiB is read", async () => {
    expectProblem(await post("/v1/login", largest), "invalid_credentials");
    expectProblem(
      await post("/v1/login", largest, { "content-length": String(largest.length) }),
      "invalid_credentials",
    );
  });

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/jsonx",
    "text/json",
    "",
  ])("declared as %j", async (type) => {
    const body = JSON.stringify(nobody());
    for (const path of ["/v1/login", "/v1/logout", "/v1/me/devices/sms"])
      expectProblem(
        await post(path, body, { "content-type": type, "content-length": String(body.length) }),
        "unsupported_media_type",
      );
  });

  test("declared as a form without a length", async () => {
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expectProblem(await post("/v1/login", "username=a", form), "unsupported_media_type");
  });

  test("JSON with parameters or in capitals is JSON", async () => {
    for (const type of ["application/json; charset=utf-8", "Application/JSON"])
      expectProblem(
        await post("/v1/login", nobody(), { "content-type": type }),
        "invalid_credentials",
      );
  });
});

describe("an address or method that does not exist", () => {
  test.each([
    "/nothing",
    "/v1",
    "/v1/",
    "/v2/login",
    "/v1/login/",
    "/v1/LOGIN",
    "/v1/login/challenges",
    "//v1/login",
    "/v1/%",
    "/v1/../nothing",
  ])("%s", async (path) => {
    expectProblem(await stack.api.call("GET", path, { token }), "not_found");
  });

  test.each(["PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])("%s /v1/login", async (method) => {
    const refused = await stack.api.call(method, "/v1/login");
    expectProblem(refused, "method_not_allowed");
    expect(refused.headers.get("allow")).toBe("POST");
  });
});

describe("an unreadable header", () => {
  test.each([
    "",
    "Bearer",
    "Bearer ",
    "Basic YTpi",
    "Bearer a b",
    "bearer ..",
    `Bearer ${"0".repeat(56)}.x`,
    `Bearer ${"x".repeat(10_000)}`,
    "Bearer __proto__.constructor",
    "Bearer ÿÿÿ",
  ])("Authorization: %s", async (authorization) => {
    expectProblem(
      await stack.api.call("GET", "/v1/session", { headers: { authorization } }),
      "unauthenticated",
    );
    expectProblem(
      await stack.api.call("POST", "/v1/logout", { headers: { authorization } }),
      "unauthenticated",
    );
  });

  test("an Idempotency-Key too long or empty", async () => {
    for (const key of ["x".repeat(201), ""])
      expectProblem(
        await post("/v1/login", nobody(), { "idempotency-key": key }),
        "invalid_request",
      );
  });

  test("a user agent and forwarded addresses of any length", async () => {
    const headers = {
      "user-agent": "u".repeat(8000),
      "x-forwarded-for": `${"1.2.3.4, ".repeat(900)}ÿ`,
    };
    const user = await stack.createUser();
    const session = (await stack.api.logIn(user, { headers })).body;
    expect(session.status).toBe("authenticated");
  });
});
