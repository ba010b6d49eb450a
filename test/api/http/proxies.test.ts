import { describe, expect, test } from "vitest";
import { createApp } from "../../../api/app.ts";
import type { ProxyDoubt } from "../../../api/http/proxy-warnings.ts";
import { MINUTE_MS } from "../../../units.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();

/** A gateway that trusts this many proxies, and its log. */
function gateway(proxies: number) {
  const config = { ...stack.deps.config, TRUSTED_PROXIES: proxies };
  const app = createApp({ ...stack.deps, config });
  const begun = stack.logged().length;
  return {
    get: (headers: Record<string, string>, path = "/login") => app.request(path, { headers }),
    async readiness() {
      const answer = await app.request("/health/dependencies");
      const body = (await answer.json()) as { status: string; doubts?: ProxyDoubt[] };
      return { ...body, doubts: body.doubts?.map(({ code }) => code) };
    },
    warnings: () =>
      stack
        .logged()
        .slice(begun)
        .map((line) => JSON.parse(line))
        .filter(({ trustedProxies }) => trustedProxies !== undefined),
  };
}

describe("a wrong TRUSTED_PROXIES, which gives all users one address, is reported", () => {
  test.each([
    ["none is trusted and a proxy names a client", 0, { "x-forwarded-for": "192.0.2.1" }],
    ["the same with the header of RFC 7239", 0, { forwarded: "for=192.0.2.1" }],
    ["one proxy too many is trusted", 2, { "x-forwarded-for": "192.0.2.1" }],
    ["one is trusted, but requests go around it", 1, {}],
    [
      "one proxy too many is trusted, and a client's node has a comma in quotes",
      2,
      { forwarded: 'for="_a,b"' },
    ],
    [
      "the proxy writes one header and passes on the client's other one",
      1,
      { "x-forwarded-for": "10.0.0.1", forwarded: "for=192.0.2.1" },
    ],
  ])("%s", async (_, proxies, headers: Record<string, string>) => {
    const { get, readiness, warnings } = gateway(proxies);
    const both = proxies > 0 && Object.keys(headers).length === 2;
    const one = proxies === 0 ? "forwarded_not_trusted" : "too_few_forwarded";
    const code = both ? "both_forwarded" : one;
    expect(await readiness()).toMatchObject({ status: "ok", doubts: undefined });
    for (let n = 0; n < 20; n++) await get(headers);
    expect(await readiness()).toMatchObject({ status: "ok", doubts: [code] });
    expect(warnings()).toMatchObject([{ code, level: 40, trustedProxies: proxies }]);
    await stack.advance(5 * MINUTE_MS);
    await get(headers);
    expect(warnings()).toMatchObject([{ requests: 1 }, { code, requests: 20 }]);
    await stack.advance(15 * MINUTE_MS);
    expect((await readiness()).doubts).toBeUndefined();
  });

  test("the warning quotes nothing of the request, which may hold anything", async () => {
    const { get, warnings } = gateway(0);
    await get({ "x-forwarded-for": "forged-by-somebody" });
    expect(JSON.stringify(warnings())).not.toContain("forged");
  });
});

describe("attack: a stranger's header raises the operator's alarm", () => {
  test("a few requests among many do not raise it", async () => {
    const { get, readiness } = gateway(0);
    await get({ "x-forwarded-for": "192.0.2.1" });
    expect((await readiness()).doubts).toBeUndefined();
    for (let n = 0; n < 19; n++) await get({});
    for (let n = 0; n < 18; n++) await get({ "x-forwarded-for": "192.0.2.1" });
    expect((await readiness()).doubts).toBeUndefined();
    for (let n = 0; n < 2; n++) await get({ "x-forwarded-for": "192.0.2.1" });
    expect((await readiness()).doubts).toEqual(["forwarded_not_trusted"]);
  });
});

test.each([
  ["no proxy, none trusted", 0, {}],
  ["one proxy, one trusted", 1, { "x-forwarded-for": "192.0.2.1" }],
  ["one proxy that writes RFC 7239", 1, { forwarded: "for=192.0.2.1" }],
  [
    "a client that forges an entry behind one proxy",
    1,
    { "x-forwarded-for": "10.0.0.1, 192.0.2.1" },
  ],
])("a right TRUSTED_PROXIES gives no warning: %s", async (_, proxies, headers) => {
  const { get, readiness, warnings } = gateway(proxies);
  await get(headers);
  expect((await readiness()).doubts).toBeUndefined();
  expect(warnings()).toEqual([]);
});
