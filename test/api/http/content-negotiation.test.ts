import { beforeAll, describe, expect, test } from "vitest";
import { enrollPhone, logInBySms } from "../../support/scenarios.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();
let token: string;
beforeAll(async () => {
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  token = (await logInBySms(stack, user, e164)).token;
});

const JSON_TYPE = "application/json";
const TEXT = "text/plain; charset=UTF-8";

describe("recovery codes come in the format that the client prefers, and as JSON by default", () => {
  test.each([
    [undefined, JSON_TYPE],
    ["", JSON_TYPE],
    ["*/*", JSON_TYPE],
    ["application/json", JSON_TYPE],
    // The default of Axios and Angular.
    ["application/json, text/plain, */*", JSON_TYPE],
    ["application/json, text/javascript, */*; q=0.01", JSON_TYPE],
    ["text/plain;q=0.5, application/json", JSON_TYPE],
    ["text/plain;q=0.5, */*", JSON_TYPE],
    ["text/plain;q=0, */*;q=0.1", JSON_TYPE],
    ["text/html, x-text/plainer", JSON_TYPE],
    ["image/png", JSON_TYPE],
    ['application/json;a="text/plain"', JSON_TYPE],
    ["text/plain", TEXT],
    ["TEXT/PLAIN", TEXT],
    ["text/*", TEXT],
    ["text/plain, */*;q=0.1", TEXT],
    ["application/json;q=0.2, text/plain;q=0.9", TEXT],
  ])("Accept: %s", async (accept, type) => {
    const headers: Record<string, string> = accept === undefined ? {} : { accept };
    const call = { token, body: { quantity: 2 }, headers };
    const answer = await stack.api.call<{ codes: string[] }>("POST", "/v1/me/recovery-codes", call);
    expect(answer.status).toBe(201);
    expect(answer.headers.get("content-type")).toBe(type);
    if (type === JSON_TYPE) expect(answer.body.codes).toHaveLength(2);
  });
});

describe("the whole content type decides what a body is, not its beginning or a part of it", () => {
  const send = (path: string, type: string, body: string) =>
    stack.app.request(path, {
      method: "POST",
      headers: {
        "content-type": type,
        "content-length": String(body.length),
        "sec-fetch-site": "same-origin",
      },
      body,
    });

  test.each([
    "application/jsonp",
    "application/json-seq",
    "text/plain; application/json",
    "text/plain, application/json",
  ])("not JSON: %s", async (type) => {
    expect((await send("/v1/login", type, "{}")).status).toBe(415);
  });

  test.each([
    "application/x-www-form-urlencoded-not",
    "application/x-www-form-urlencoded, text/plain",
    "text/plain; application/x-www-form-urlencoded",
  ])("not a form: %s", async (type) => {
    expect((await send("/login", type, "username=a&password=b")).status).toBe(415);
  });
});
